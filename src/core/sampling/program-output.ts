/**
 * Parses the output of a program sensor into values: one JSON object, lines of key=value, or a single number.
 *
 * Numbers keep six decimals (contract 4.2); texts are short and on one line; null and NaN, and in lines N/A,
 * are no value. A quoted decimal number in JSON is a number, as the server would make it one, except for an
 * integer with leading zeros or too many digits, which only a text keeps (numeric-text.ts). Invalid parts are omitted and the first problem is reported. At most KEYS_MAX keys.
 */

import { keyOfProgram, type ProgramSensor } from '../model/custom-sensor.ts';
import { NUMBER_MAX, round, type Value, type Values } from '../model/reading.ts';

export interface ProgramValues {
  readonly values: Values;
  /** The first problem as a predicate without a subject; absent if there is none. */
  readonly problem?: string;
}

export const KEYS_MAX = 32;
export const TEXT_CHARACTERS_MAX = 128;
/** Control characters, and the replacement character for bytes that are not UTF-8. */
const INVALID_TEXT = /[\p{Cc}\ufffd]/u;
const DECIMALS = 6;
const QUOTED_CHARACTERS_MAX = 24;

/** A name and its value before validation. */
type OutputEntry = readonly [name: string, value: unknown];

export function programValues(text: string, sensor: Pick<ProgramSensor, 'name' | 'keys'>): ProgramValues {
  const { entries, problem: parseProblem } = parse(text.trim(), sensor.name);
  const values: Record<string, Value> = {};
  let problem = parseProblem;
  const selected = entries.filter(([name]) => sensor.keys?.includes(name) ?? true);
  for (const [name, raw] of selected) {
    if (raw === null) continue;
    const key = keyOfProgram(sensor.name, name);
    const value = validateValue(raw);
    if (key === undefined) problem ??= `prints ${quoted(name)}, which cannot become a key`;
    else if (value === undefined)
      problem ??= `prints a value of ${quoted(name)} that is not a number, boolean or short text`;
    else if (Object.hasOwn(values, key)) problem ??= `prints ${quoted(name)} twice`;
    else if (Object.keys(values).length >= KEYS_MAX) problem ??= `prints more than ${KEYS_MAX} values`;
    else values[key] = value;
  }
  return problem === undefined ? { values } : { values, problem };
}

interface ParsedOutput {
  readonly entries: readonly OutputEntry[];
  readonly problem?: string | undefined;
}

function parse(text: string, name: string): ParsedOutput {
  if (text === '') return { entries: [], problem: 'prints nothing' };
  if (isNumber(text)) return { entries: [[name, toNumber(text)]] };
  return text.startsWith('{') ? parseJson(text) : parseLines(text);
}

function parseJson(text: string): ParsedOutput {
  try {
    const object: unknown = JSON.parse(text);
    const members = Object.entries(object ?? {});
    return {
      entries: members.map(([name, raw]) => [name, typeof raw === 'string' ? parseQuoted(raw) : raw]),
    };
  } catch {
    return { entries: [], problem: 'prints invalid JSON' };
  }
}

function parseLines(text: string): ParsedOutput {
  const entries: OutputEntry[] = [];
  let problem: string | undefined;
  for (const line of text.split('\n').map((each) => each.trim())) {
    const [, name, value] = /^([^=]*[^=\s])\s*=\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) entries.push([name, parseText(value)]);
    else if (line !== '') problem ??= `prints ${quoted(line)}, which is neither JSON nor key=value`;
  }
  return { entries, problem };
}

function parseText(text: string): Value | null {
  if (isNumber(text)) return toNumber(text);
  // Programs print these for a missing number; as a text they would make the key a text on the server.
  if (/^(?:[-+]?(?:nan|inf|infinity)|null|none|n\/a)$/i.test(text)) return null;
  return text === 'true' || text === 'false' ? text === 'true' : text;
}

/** A text of JSON. */
function parseQuoted(raw: string): Value | null {
  const text = raw.trim();
  if (/^[-+]?(?:nan|inf|infinity)$/i.test(text)) return null;
  return isNumber(text) && !/^[-+]?0\d+$/.test(text) ? toNumber(text) : text;
}

/** An integer with more digits than a number keeps, such as that of a SIM card, stays a text. */
function toNumber(text: string): number | string {
  const number = Number(text);
  return Math.abs(number) > NUMBER_MAX && /^\d+$/.test(text) ? text : number;
}

function isNumber(text: string): boolean {
  return /^[-+]?(\d{1,40}\.?\d{0,40}|\.\d{1,40})(e[-+]?\d{1,3})?$/i.test(text);
}

function validateValue(raw: unknown): Value | undefined {
  if (typeof raw === 'boolean') return raw;
  if (typeof raw === 'number') {
    const rounded = round(raw, DECIMALS);
    return Math.abs(rounded) <= NUMBER_MAX ? rounded : undefined;
  }
  if (typeof raw !== 'string') return undefined;
  const text = raw.trim();
  return text !== '' && text.length <= TEXT_CHARACTERS_MAX && !INVALID_TEXT.test(text) ? text : undefined;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, QUOTED_CHARACTERS_MAX)).replaceAll(/[^\x20-\x7e]/g, '?');
}
