/**
 * What counters and lines of /proc do on real hosts for one sample: a number that is zero, runs back or is just
 * below 2^64, all numbers zero, and a line too many.
 */

import { createRandom } from '../../../src/sandbox/core/random.ts';
import { seedOf } from './moving-host.ts';

export interface CounterDamage {
  readonly what: string;
  /** The line, without its end; undefined if the whole file is damaged, or a line before the first. */
  readonly line: string | undefined;
  /** The damaged number of the line, from 0; undefined if a line is added. */
  readonly column: number | undefined;
  readonly apply: (text: string) => string;
}

/** Not parts of words, addresses and hexadecimal numbers. */
const NUMBER = /(?<![\w.-])\d+(?:\.\d+)?(?![\w.])/g;
/** A longer line is one of interrupts, which no sensor reads. */
const NUMBERS_MAX = 24;

/** A number in place of another, which has counted on since; undefined if it would be the same. */
const NUMBERS: Readonly<Record<string, (number: number) => string | undefined>> = {
  zero: (number) => (number === 0 ? undefined : '0'),
  'running back by half': (number) => (number < 2 ? undefined : String(Math.floor(number / 2))),
  'running back by one': (number) => (number < 1 ? undefined : String(Math.floor(number) - 1)),
  '2^64 - 3': () => '18446744073709551613',
  '2^64 - 151616': () => '18446744073709400000',
};

/** A line too many, made of the one before it. */
const LINES: Readonly<Record<string, (line: string) => string>> = {
  'a line of garbage': () => '%\0 7 \u00ff:',
  'the line again': (line) => line,
  'the line again, with zeros': (line) => line.replaceAll(NUMBER, '0'),
};

/** Every damage of every number and line of the file. */
export function counterDamagesOf(text: string): readonly CounterDamage[] {
  const lines = text.replace(/\n$/, '').split('\n');
  return [
    {
      what: 'all numbers zero',
      line: undefined,
      column: undefined,
      apply: (current) => current.replaceAll(NUMBER, '0'),
    },
    {
      what: 'a line of garbage before the first',
      line: undefined,
      column: undefined,
      apply: (current) => `${LINES['a line of garbage']?.('')}\n${current}`,
    },
    ...lines.flatMap((line, at) => [...addedLines(line, at), ...damagedNumbers(line, at)]),
  ];
}

function addedLines(line: string, at: number): readonly CounterDamage[] {
  return Object.entries(LINES).map(([what, create]) => ({
    what: `${what} after line ${at}`,
    line,
    column: undefined,
    apply: (current) => editLine(current, at, (each) => `${each}\n${create(each)}`),
  }));
}

function damagedNumbers(line: string, at: number): readonly CounterDamage[] {
  const numbers = line.match(NUMBER) ?? [];
  if (numbers.length > NUMBERS_MAX) return [];
  return numbers.flatMap((number, column) =>
    Object.entries(NUMBERS)
      .filter(([, create]) => create(Number(number)) !== undefined)
      .map(([what, create]) => ({
        what: `${what} at number ${column} of line ${at}`,
        line,
        column,
        apply: (current: string) =>
          editLine(current, at, (each) => replaceNumber(each, column, create(Number(number)) ?? number)),
      })),
  );
}

function editLine(text: string, at: number, edit: (line: string) => string): string {
  return text
    .split('\n')
    .map((line, index) => (index === at ? edit(line) : line))
    .join('\n');
}

function replaceNumber(line: string, column: number, replacement: string): string {
  let at = -1;
  return line.replaceAll(NUMBER, (number) => {
    at += 1;
    return at === column ? replacement : number;
  });
}

/** At most `count` of them, the same ones in each run. */
export function drawDamages(
  damages: readonly CounterDamage[],
  path: string,
  count: number,
): readonly CounterDamage[] {
  if (damages.length <= count) return damages;
  const random = createRandom(seedOf(path));
  return damages
    .map((damage) => ({ damage, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ damage }) => damage);
}
