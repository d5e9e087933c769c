/**
 * What a program of the operator's printed, as values: one JSON object, or lines of key=value, or a number alone.
 *
 * Numbers keep six decimals (contract 4.2); texts are short and on one line; null, and in lines NaN and N/A, are nothing.
 * Whatever else is printed is left out and told, with the first that is wrong; the rest counts all the same. Pure, and bounded:
 * as many keys as KEYS_MAX.
 */

import { keyOfProgram, type ProgramSensor } from '../model/custom-sensor.ts';
import { NUMBER_MAX, round, type Value, type Values } from '../model/reading.ts';

export interface ProgramValues {
  readonly values: Values;
  /** The first thing that is wrong, as a sentence without a subject; absent when all is well. */
  readonly problem?: string;
}

export const KEYS_MAX = 32;
export const TEXT_CHARACTERS_MAX = 128;
/** Control characters, and what stands for bytes that were no UTF-8. */
const INVALID_TEXT = /[\p{Cc}\ufffd]/u;
const DECIMALS = 6;
const QUOTED_CHARACTERS_MAX = 24;

/** A name and what the program says of it, before anyone has judged it. */
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
    if (key === undefined) problem ??= `says ${quoted(name)}, which makes no key`;
    else if (value === undefined) problem ??= `says of ${quoted(name)} what is no number, flag or short text`;
    else if (Object.hasOwn(values, key)) problem ??= `says ${quoted(name)} twice`;
    else if (Object.keys(values).length >= KEYS_MAX) problem ??= `says more than ${KEYS_MAX} values`;
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
  if (isNumber(text)) return { entries: [[name, Number(text)]] };
  return text.startsWith('{') ? parseJson(text) : parseLines(text);
}

function parseJson(text: string): ParsedOutput {
  try {
    const object: unknown = JSON.parse(text);
    return { entries: Object.entries(object ?? {}) };
  } catch {
    return { entries: [], problem: 'prints JSON that is none' };
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
  if (isNumber(text)) return Number(text);
  // What languages print for a number they do not have; as a text it would make the key a text at the server.
  if (/^(?:[-+]?(?:nan|inf|infinity)|null|none|n\/a)$/i.test(text)) return null;
  return text === 'true' || text === 'false' ? text === 'true' : text;
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
