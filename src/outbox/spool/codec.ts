/**
 * The spool's format: text lines `<bytes of the text> <crc32, base 36> <text>\n`, mostly readable.
 *
 *   {"t":1795323338000,"m":18299000,"f":1,"v":{"load1":2.92,"uptimeS":18299}}    independent; this one is full
 *   7psA3.1B+a{"online":true}    10 s (7ps, base 36) after the full one: letters for its keys, names for others
 *
 * Decoding never throws and returns undefined for anything torn, flipped or of another shape. The checksum of
 * a line that needs a dictionary continues that of the full reading, so with another dictionary the line is
 * damaged. The checksum is zlib's: without V8's compilers a loop over bytes would cost more than the disk.
 */

import { crc32 } from 'node:zlib';
import { isJsonObject } from '../../core/model/json-object.ts';
import type { Reading, Value, Values } from '../../core/model/reading.ts';
import { Dictionary, readDifference, writeDifference } from './dictionary.ts';

/** Raised if older versions would misread the format. */
export const FORMAT_VERSION = 1;

export const NEWLINE = 0x0a;
const SPACE = 0x20;
/** First character of every independent line, and of no line that needs a dictionary. */
const BRACE = '{';
/** No line is larger than a segment. */
const LENGTH_DIGITS_MAX = 5;
const CRC_DIGITS = 7;
const CRC_RADIX = 36;
const DELTA_RECORD = /^(-?[0-9a-z]+)(?:,(-?[0-9a-z]+))?([^{]*)(\{.*)?$/s;

/** A line whose checksum is right. */
export interface RecordLine {
  readonly text: string;
  readonly sum: number;
  readonly endBytes: number;
}

export interface Frame {
  readonly json: unknown;
  readonly endBytes: number;
}

/** Encodes one value as a line. */
export function frame(value: unknown): Buffer {
  return seal(JSON.stringify(value)).bytes;
}

/** Decodes the frame at `fromBytes`. Its newline is not checked, because the checksum proves more. */
export function unframe(bytes: Buffer, fromBytes: number): Frame | undefined {
  const line = unseal(bytes, fromBytes);
  const json = line && parse(line.text);
  return json === undefined || line === undefined ? undefined : { json, endBytes: line.endBytes };
}

function seal(text: string, dictionary?: Dictionary): { readonly bytes: Buffer; readonly sum: number } {
  const sum = crc32(text, dictionary?.sum);
  const digits = sum.toString(CRC_RADIX).padStart(CRC_DIGITS, '0');
  return { bytes: Buffer.from(`${Buffer.byteLength(text)} ${digits} ${text}\n`), sum };
}

/**
 * Checks the line at `fromBytes`. If it needs a dictionary, `dictionary` must be the one it was written with.
 */
export function unseal(bytes: Buffer, fromBytes: number, dictionary?: Dictionary): RecordLine | undefined {
  const space = bytes.subarray(fromBytes, fromBytes + LENGTH_DIGITS_MAX + 1).indexOf(SPACE);
  if (space < 1) return undefined;
  const crcAt = fromBytes + space + 1;
  const textAt = crcAt + CRC_DIGITS + 1;
  const head = bytes.toString('latin1', fromBytes, textAt);
  if (!/^[1-9]\d* [0-9a-z]{7} $/.test(head)) return undefined;
  const end = textAt + Number(head.slice(0, space));
  if (end > bytes.length) return undefined;
  const body = bytes.subarray(textAt, end);
  const sum = Number.parseInt(head.slice(space + 1), CRC_RADIX);
  const before = body[0] === BRACE.charCodeAt(0) ? 0 : dictionary?.sum;
  if (crc32(body, before) !== sum) return undefined;
  return { text: body.toString(), sum, endBytes: Math.min(end + 1, bytes.length) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface Header {
  readonly version: number;
  readonly bootId: string;
}

export function encodeHeader(bootId: string): Buffer {
  return frame({ version: FORMAT_VERSION, boot: bootId });
}

export function decodeHeader(json: unknown): Header | undefined {
  if (!isJsonObject(json)) return undefined;
  const { version, boot } = json;
  if (typeof version !== 'number' || typeof boot !== 'string') return undefined;
  return { version, bootId: boot };
}

/** Start of every record without a timestamp, and of no other. */
export const UNDATED_START = '{"m":';

/** A record, and the dictionary for the records after it: itself if it is full, otherwise unchanged. */
export interface Encoded {
  readonly bytes: Buffer;
  readonly dictionary: Dictionary | undefined;
}

/**
 * The record of a reading in a segment of `bootId`. It keeps both instants, so the reading decodes unchanged.
 */
export function encode(reading: Reading, bootId: string, dictionary?: Dictionary): Encoded {
  const delta = dictionary && encodeDelta(reading, dictionary);
  if (delta !== undefined) return { bytes: seal(delta, dictionary).bytes, dictionary };
  const { bytes, sum } = seal(
    JSON.stringify({
      t: reading.tsMs,
      m: reading.bootMs,
      b: reading.bootId === bootId ? undefined : reading.bootId,
      f: reading.isSnapshot ? 1 : undefined,
      g: reading.gap ? 1 : undefined,
      v: reading.values,
    }),
  );
  return { bytes, dictionary: isDictionary(reading) ? new Dictionary(reading, sum) : dictionary };
}

/** The reading of a record in a segment of `bootId`, which is '' if the segment's header is damaged. */
export function decode(text: string, bootId: string, dictionary?: Dictionary): Reading | undefined {
  if (!text.startsWith(BRACE)) return dictionary && decodeDelta(text, dictionary);
  const json = parse(text);
  if (!isJsonObject(json)) return undefined;
  const { t, m, b = bootId, f, g, v, ...unknown } = json;
  if (t !== undefined && !isFiniteNumber(t)) return undefined;
  if (!isFiniteNumber(m) || typeof b !== 'string') return undefined;
  if ((f !== undefined && f !== 1) || (g !== undefined && g !== 1)) return undefined;
  if (!isValues(v) || Object.keys(unknown).length > 0) return undefined;
  const timestamp = t === undefined ? {} : { tsMs: t };
  return {
    bootId: b,
    bootMs: m,
    ...timestamp,
    values: v,
    isSnapshot: f === 1,
    ...(g === 1 && { gap: true as const }),
  };
}

/** Whether this reading is the dictionary of the records after it. */
export function isDictionary(reading: Reading): boolean {
  return reading.isSnapshot && !reading.gap;
}

/** `<bootMs>[,<tsMs>]<encoded>[{others}]`, instants as differences, the second only if different. */
function encodeDelta(reading: Reading, dictionary: Dictionary): string | undefined {
  const { full } = dictionary;
  if (reading.isSnapshot || reading.gap || reading.bootId !== full.bootId) return undefined;
  if ((reading.tsMs === undefined) !== (full.tsMs === undefined)) return undefined;
  const boot = writeDifference(reading.bootMs, full.bootMs);
  const date = writeDifference(reading.tsMs ?? 0, full.tsMs ?? 0);
  if (boot === undefined || date === undefined) return undefined;
  const { encoded, rest } = dictionary.write(reading.values);
  const others = Object.keys(rest).length > 0 ? JSON.stringify(rest) : '';
  const isSame = reading.tsMs === undefined || date === boot;
  return `${boot}${isSame ? '' : `,${date}`}${encoded}${others}`;
}

function decodeDelta(text: string, dictionary: Dictionary): Reading | undefined {
  const { full } = dictionary;
  const [, boot, date = boot, encoded = '', others] = DELTA_RECORD.exec(text) ?? [];
  const numbers = dictionary.read(encoded);
  const rest = others === undefined ? {} : parse(others);
  if (boot === undefined || date === undefined || !numbers || !isJsonObject(rest)) return undefined;
  const values = Object.fromEntries([...numbers, ...Object.entries(rest)]);
  if (!isValues(values)) return undefined;
  const bootMs = readDifference(boot, full.bootMs);
  const timestamp = full.tsMs === undefined ? {} : { tsMs: readDifference(date, full.tsMs) };
  return { bootId: full.bootId, bootMs, ...timestamp, values, isSnapshot: false };
}

function isValues(json: unknown): json is Values {
  return isJsonObject(json) && Object.values(json).every(isValue) && Object.keys(json).length > 0;
}

function isValue(json: unknown): json is Value {
  return typeof json === 'string' || typeof json === 'boolean' || isFiniteNumber(json);
}

function isFiniteNumber(json: unknown): json is number {
  return typeof json === 'number' && Number.isFinite(json);
}
