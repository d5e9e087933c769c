/**
 * The probes that were recorded on a real ThingsBoard, from `test/fixtures/thingsboard-4.3.1.3` (its README.md
 * describes the files), and the comparison of an answer with a recorded one.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Type, code and options, or status and content type; then the payload, if any: a text or JSON. */
export type Answer = readonly [head: string, payload?: unknown];

export interface Probe {
  readonly name: string;
  /** Done before the request: shared attributes written and deleted, the strategy, an RPC. */
  readonly share?: Readonly<Record<string, unknown>>;
  readonly unshare?: readonly string[];
  readonly strategy?: 'create' | 'pre-provisioned';
  readonly rpc?: { readonly method: string; readonly params?: unknown; readonly oneWay: boolean };
  /** `CON POST /path?query` is CoAP, `POST /path?query` HTTP. */
  readonly request?: string;
  /** A whole datagram in hex. */
  readonly datagram?: string;
  /** Sends nothing. */
  readonly listen?: true;
  /** Probes with the same name use one socket. */
  readonly socket?: string;
  readonly messageId?: number;
  /** Hex. */
  readonly token?: string;
  readonly options?: Readonly<Record<string, string | number>>;
  readonly pathInOneOption?: true;
  /** HTTP headers; null removes the default one. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly json?: unknown;
  readonly text?: string;
  /** In order; none: no answer. */
  readonly answers: readonly Answer[];
  /** What the sender of the latest RPC got from the device; null for a one-way RPC. */
  readonly callerGot?: unknown;
}

export interface Scenario {
  readonly devices: readonly { readonly name: string; readonly token?: string; readonly profile?: string }[];
  readonly probes: readonly Probe[];
}

/** A value in telemetry, and what was stored: `long 5`, or `absent`. */
export interface RecordedValue {
  readonly name: string;
  readonly sent: string;
  readonly stored: string;
}

const DIRECTORY = join(process.cwd(), 'test', 'fixtures', 'thingsboard-4.3.1.3');

export function readScenario(name: string): Scenario {
  return readFixture(name) as Scenario;
}

export function readValues(): readonly RecordedValue[] {
  return (readFixture('values') as { readonly values: readonly RecordedValue[] }).values;
}

/** The text of a body: JSON without blanks, or the text as it is. */
export function bodyOf({ json, text }: Probe): string {
  return json === undefined ? (text ?? '') : JSON.stringify(json);
}

/** The payload of an answer: JSON if it is an object or an array, else the text. */
export function payloadOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // A text.
  }
  return text;
}

/**
 * True if the value is the recorded one. JSON is compared without the order of its members. In the recording
 * `*` is anything, `*end` a text with this end.
 */
export function matches(recorded: unknown, value: unknown): boolean {
  if (recorded === '*') return true;
  if (typeof recorded === 'string') {
    if (typeof value !== 'string') return false;
    if (recorded === '<20 letters and digits>') return /^[A-Za-z0-9]{20}$/.test(value);
    return recorded.startsWith('*') ? value.endsWith(recorded.slice(1)) : recorded === value;
  }
  if (typeof recorded !== 'object' || recorded === null) return recorded === value;
  if (typeof value !== 'object' || value === null || Array.isArray(recorded) !== Array.isArray(value))
    return false;
  const [expected, actual] = [Object.entries(recorded), new Map(Object.entries(value))];
  return (
    expected.length === actual.size &&
    expected.every(([key, one]) => actual.has(key) && matches(one, actual.get(key)))
  );
}

/** One line for each answer. */
export function describeAnswers(answers: readonly Answer[]): string {
  if (answers.length === 0) return 'no answer';
  return answers
    .map(([head, ...payload]) => [head, ...payload.map((one) => JSON.stringify(one))].join(' '))
    .join(', then ');
}

function readFixture(name: string): unknown {
  const text = readFileSync(join(DIRECTORY, `${name}.json`), 'utf8');
  // `<x*1000>` stands for 1000 times x.
  return JSON.parse(text, (_key, value: unknown) => expand(value));
}

function expand(value: unknown): unknown {
  if (typeof value === 'string') return expandText(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [expandText(key), member]));
}

function expandText(text: string): string {
  return text.replace(/<(.)\*([0-9]+)>/g, (_all, one: string, count: string) => one.repeat(Number(count)));
}
