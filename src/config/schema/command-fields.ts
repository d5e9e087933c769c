/** The fields of [[command.exec]]. The example file, the manual page and the problems derive from this table. */

import * as v from 'valibot';
import type { Field } from './custom-sensor-fields.ts';
import { customSensorFields, texts } from './custom-sensor-fields.ts';
import { boundedText, duration, size, text } from './value-types.ts';

const PARAMETERS_MAX = 8;
const PATTERN_CHARACTERS_MAX = 200;
const PARAMETER = /^([a-z][A-Za-z0-9]{0,31})=(.+)$/s;

/** A parameter: its name, and a regular expression that the whole value must match. */
export interface ParameterPattern {
  readonly name: string;
  readonly pattern: string;
}

function parseParameter(input: string): ParameterPattern | undefined {
  const [, name, pattern] = PARAMETER.exec(input) ?? [];
  if (name === undefined || pattern === undefined || pattern.length > PATTERN_CHARACTERS_MAX)
    return undefined;
  try {
    new RegExp(`^(?:${pattern})$`, 'u');
    return { name, pattern };
  } catch {
    return undefined;
  }
}

export const execCommandFields = {
  name: {
    key: 'name',
    type: 'text',
    bound:
      'a lowercase letter and up to 31 lowercase letters, digits and hyphens; no name of a built-in command',
    example: 'restart-modbus',
    meaning: 'The RPC method that runs the program.',
    schema: v.pipe(
      text('text'),
      boundedText(),
      v.check((input) => /^[a-z][a-z0-9-]{0,31}$/.test(input), 'is not a valid command name'),
    ),
  },
  command: {
    ...customSensorFields.exec.command,
    example: '["/usr/local/bin/modbus", "--port={port}", "restart"]',
    meaning: 'Program and its arguments. {name} in an argument stands for a parameter.',
  },
  parameters: {
    key: 'parameters',
    type: 'list',
    bound: `up to ${PARAMETERS_MAX} of "name=pattern"; a pattern is a regular expression of up to ${PATTERN_CHARACTERS_MAX} characters that the whole value must match`,
    example: '["port=[0-9]{1,5}"]',
    isOptional: true,
    meaning:
      'Parameters that the server must send, each with the values it may have. Values are at most 256 characters long and become part of one argument.',
    schema: v.pipe(
      texts('"name=pattern"'),
      v.check((list) => list.length <= PARAMETERS_MAX, 'has too many parameters'),
      v.check(
        (list) => list.every((each) => parseParameter(each)),
        'contains a parameter that is not name=pattern',
      ),
      v.transform((list) => list.flatMap((each) => parseParameter(each) ?? [])),
      v.check(
        (list) => new Set(list.map(({ name }) => name)).size === list.length,
        'names a parameter twice',
      ),
    ),
  },
  timeout: {
    ...customSensorFields.exec.timeout,
    key: 'timeout',
    default: '10s',
    ...duration(100, 300_000, '10s'),
  },
  output: {
    key: 'output',
    default: '4KiB',
    meaning: 'Maximum size of what the program prints, which is the reply. Above it, the program is killed.',
    ...size('1KiB', '48KiB', '4KiB'),
  },
} as const satisfies Record<string, Field>;
