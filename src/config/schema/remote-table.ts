/** The settings of the table [remote]: what the server may do; rows of the table in settings.ts. */

import * as v from 'valibot';
import { type CommandsConfig, OPTIONAL_COMMANDS } from '../../core/model/commands-config.ts';
import { nearestWord } from '../errors/nearest-word.ts';
import type { Setting } from './setting.ts';
import { choice, parseWith, textOrList } from './value-types.ts';

function parseCommands(input: string): Omit<CommandsConfig, 'exec'> | string {
  if (input.trim() === 'off') return { isOff: true, enabled: [] };
  const names = input
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const known = names.flatMap((name) => OPTIONAL_COMMANDS.find((each) => each === name) ?? []);
  if (known.length === names.length) return { isOff: false, enabled: [...new Set(known)] };
  const unknown = names.find((name) => !OPTIONAL_COMMANDS.some((each) => each === name)) ?? '';
  const suggestion = nearestWord(unknown, OPTIONAL_COMMANDS);
  return `contains an unknown command${suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`}`;
}

export const remoteTable = {
  remoteSettings: {
    key: 'remote.settings',
    default: 'on',
    meaning:
      'With on, shared attributes of the device in ThingsBoard set the settings that name one, and take precedence over files and environment variables. With off, the agent ignores them.',
    ...choice(['on', 'off']),
  },
  remoteCommands: {
    key: 'remote.commands',
    type: 'list',
    default: '',
    bound: `off, or any of ${OPTIONAL_COMMANDS.join(', ')}`,
    example: 'reload, restart',
    meaning:
      'Commands of the server that the gateway executes in addition to those that only read (ping, version, status, sample, doctor, events, config) and the tables [[command.exec]]. With off, the agent executes no command at all.',
    schema: v.pipe(textOrList('a list of commands'), parseWith(parseCommands)),
  },
} as const satisfies Record<string, Setting>;
