/**
 * The types of values that settings have, as schemas: text, path, duration, number, size, share, choice.
 *
 * A message continues the sentence `<key> = <value> …`. Functions that return more than a schema also return the type, bound and
 * example of a setting, so that these always match the schema.
 */

import * as v from 'valibot';
import { formatDurationSetting } from '../../core/model/format-duration.ts';
import { nearestWord } from '../errors/nearest-word.ts';
import { parseDuration, parseSize } from '../values/quantities.ts';
import { describeType } from './display.ts';

/** The size of the server's columns. */
const TEXT_CHARACTERS_MAX = 255;

export function text(expected: string) {
  return v.string((issue) => `is ${describeType(issue.input)}, not ${expected} in quotes`);
}

/** Text, or a list of texts, which becomes one text separated by commas. */
export function textOrList(expected: string) {
  const list = v.pipe(
    v.array(v.string()),
    v.transform((parts) => parts.join(',')),
  );
  return v.union([v.string(), list], (issue) => `is ${describeType(issue.input)}, not ${expected} in quotes`);
}

/** A parser as a valibot action. A string that `parse` returns is the message of the problem. */
export function parseWith<T extends object | number>(parse: (input: string) => T | string) {
  return v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
    const result = parse(dataset.value);
    if (typeof result !== 'string') return result;
    addIssue({ message: result });
    return NEVER;
  });
}

export function boundedText() {
  return v.pipe(
    v.string(),
    v.check((input) => input !== '', 'is empty'),
    v.check((input) => [...input].length <= TEXT_CHARACTERS_MAX, 'is too long'),
    v.check((input) => !/\p{Cc}/u.test(input), 'contains a control character'),
  );
}

export function absolutePath(example: string, kiBMax = 4) {
  const schema = v.pipe(
    text('a path'),
    v.check((path) => path.startsWith('/') && !path.includes('\0'), 'is not an absolute path'),
  );
  const bound = `an absolute path of a regular file of at most ${kiBMax} KiB`;
  return { type: 'path', bound, example, schema } as const;
}

export function duration(minMs: number, maxMs: number, example: string) {
  const parse = (input: string): number | string => {
    const ms = parseDuration(input);
    if (ms === undefined) return 'is not a duration';
    if (ms < minMs) return 'is too short';
    return ms > maxMs ? 'is too long' : ms;
  };
  const bound = `${formatDurationSetting(minMs)} to ${formatDurationSetting(maxMs)}`;
  return { type: 'duration', bound, example, schema: v.pipe(text('a duration'), parseWith(parse)) } as const;
}

export function wholeNumber(min: number, max: number, example: string) {
  const parse = (input: string): number | string =>
    checkRange({ min, max }, /^\d{1,15}$/.test(input) ? Number(input) : undefined, 'a whole number');
  const schema = v.pipe(text('a whole number'), parseWith(parse));
  return { type: 'number', bound: `a whole number, ${min} to ${max}`, example, schema } as const;
}

/** In bytes; `least` and `most` as written in the file. */
export function size(least: string, most: string, example: string) {
  const [min = 0, max = 0] = [parseSize(least), parseSize(most)];
  const parse = (input: string): number | string => checkRange({ min, max }, parseSize(input), 'a size');
  return {
    type: 'size',
    bound: `${least} to ${most}`,
    example,
    schema: v.pipe(text('a size'), parseWith(parse)),
  } as const;
}

/** From 0 to 1; written in whole per cent, as `least` and `most` are. */
export function share(least: string, most: string, example: string) {
  const parsePercent = (input: string): number | undefined => {
    const percent = /^(\d{1,3})%$/.exec(input)?.[1];
    return percent === undefined ? undefined : Number(percent) / 100;
  };
  const [min = 0, max = 0] = [parsePercent(least), parsePercent(most)];
  const parse = (input: string): number | string =>
    checkRange({ min, max }, parsePercent(input), 'a whole percentage');
  const schema = v.pipe(text('a percentage'), parseWith(parse));
  return { type: 'share', bound: `${least} to ${most}`, example, schema } as const;
}

function checkRange(
  { min, max }: { readonly min: number; readonly max: number },
  value: number | undefined,
  expected: string,
): number | string {
  if (value === undefined) return `is not ${expected}`;
  if (value < min) return 'is too small';
  return value > max ? 'is too large' : value;
}

export function choice<const Options extends readonly [string, ...string[]]>(options: Options) {
  const message = (input: string): string => {
    const suggestion = nearestWord(input, options);
    return `is not an accepted value${suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`}`;
  };
  const schema = v.pipe(
    text('text'),
    v.picklist(options, (issue) => message(String(issue.input))),
  );
  return { type: 'choice', bound: options.join(' | '), example: options[0], schema } as const;
}
