/**
 * How the spool writes: text lines `<bytes of json> <crc32 of json> <json>\n`, so that a person can read them and a
 * program can tell what is damaged.
 *
 * Promises: what was framed comes back as it was, and a frame that does not is not there at all: `unframe`, `decode`
 * and `decodeHeader` give undefined for whatever is torn, flipped or of another shape, and never throw. The sum is
 * zlib's, because the agent runs without V8's compilers and a loop over bytes would cost it more than the disk does.
 */

import { crc32 } from 'node:zlib';
import type { Reading, Value, Values } from '../core/reading.ts';

/** Raised when older readers would misread what is written. */
export const FORMAT_VERSION = 1;

export const NEWLINE = 0x0a;
const SPACE = 0x20;
/** A length is at most this many digits: no frame is larger than a segment. */
const LENGTH_DIGITS_MAX = 5;
const CRC_DIGITS = 8;

export interface Frame {
  readonly json: unknown;
  readonly endBytes: number;
}

/** The line of one value. */
export function frame(value: unknown): Buffer {
  const json = JSON.stringify(value);
  const sum = crc32(json).toString(16).padStart(CRC_DIGITS, '0');
  return Buffer.from(`${Buffer.byteLength(json)} ${sum} ${json}\n`);
}

/** The frame that begins at `fromBytes`. Its newline is not asked for: the sum has proved more than that could. */
export function unframe(bytes: Buffer, fromBytes: number): Frame | undefined {
  const space = bytes.subarray(fromBytes, fromBytes + LENGTH_DIGITS_MAX + 1).indexOf(SPACE);
  if (space < 1) return undefined;
  const crcAt = fromBytes + space + 1;
  const jsonAt = crcAt + CRC_DIGITS + 1;
  const head = bytes.toString('latin1', fromBytes, jsonAt);
  if (!/^[1-9]\d* [0-9a-f]{8} $/.test(head)) return undefined;
  const end = jsonAt + Number(head.slice(0, space));
  const body = bytes.subarray(jsonAt, end);
  if (end > bytes.length || crc32(body) !== Number.parseInt(head.slice(space + 1), 16)) return undefined;
  try {
    return { json: JSON.parse(body.toString()), endBytes: Math.min(end + 1, bytes.length) };
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
  if (!isMap(json)) return undefined;
  const { version, boot } = json;
  if (typeof version !== 'number' || typeof boot !== 'string') return undefined;
  return { version, bootId: boot };
}

/** An undated record begins with this, and with nothing else does one begin that is dated. */
export const UNDATED_START = '{"m":';

/** The record of a reading in a segment of `bootId`; both instants are kept, so that it comes back as it was. */
export function encode(reading: Reading, bootId: string): Buffer {
  return frame({
    t: reading.tsMs,
    m: reading.bootMs,
    b: reading.bootId === bootId ? undefined : reading.bootId,
    f: reading.full ? 1 : undefined,
    g: reading.gap ? 1 : undefined,
    v: reading.values,
  });
}

/** The reading of a record in a segment of `bootId`; that is '' where the segment's header is damaged. */
export function decode(json: unknown, bootId: string): Reading | undefined {
  if (!isMap(json)) return undefined;
  const { t, m, b = bootId, f, g, v, ...unknown } = json;
  if (t !== undefined && !isFiniteNumber(t)) return undefined;
  if (!isFiniteNumber(m) || typeof b !== 'string') return undefined;
  if ((f !== undefined && f !== 1) || (g !== undefined && g !== 1)) return undefined;
  if (!isValues(v) || Object.keys(unknown).length > 0) return undefined;
  const dated = t === undefined ? {} : { tsMs: t };
  return { bootId: b, bootMs: m, ...dated, values: v, full: f === 1, ...(g === 1 && { gap: true as const }) };
}

export function isMap(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function isValues(json: unknown): json is Values {
  return isMap(json) && Object.values(json).every(isValue) && Object.keys(json).length > 0;
}

function isValue(json: unknown): json is Value {
  return typeof json === 'string' || typeof json === 'boolean' || isFiniteNumber(json);
}

function isFiniteNumber(json: unknown): json is number {
  return typeof json === 'number' && Number.isFinite(json);
}
