/**
 * Packing: readings into telemetry bodies that fit one datagram.
 *
 * The array form of the contract (section 4.1), several readings in one body up to `BODY_BYTES_MAX`, so that
 * no block-wise transfer is ever needed and the datagram fits the 1280-byte MTU every IPv6 path carries.
 * An element has its own `ts`, so a repeated body overwrites the same points; one whose date nobody knows has
 * none, and is dated by the server when it arrives (trap 9). Never an empty body (trap 6).
 */

import type { Reading, Value, Values } from '../model/reading.ts';

/**
 * Payload bound, bytes: 1280 (IPv6 minimum MTU) less IPv6, UDP and CoAP headers and a token of 255
 * characters, rounded down.
 */
export const BODY_BYTES_MAX = 940;

export interface EncodedBodies {
  /** Bodies to post in this order; one, unless a single reading is too large for one. */
  readonly bodies: readonly string[];
  /** How many of the readings given the bodies hold, from the first on; at least 1. */
  readonly count: number;
  /** Keys left out because the key with its value alone is over the bound. */
  readonly oversizedKeys: readonly string[];
}

/** What of a reading goes on the wire. */
export type EncodableReading = Pick<Reading, 'tsMs' | 'values'>;

/** Packs the first readings of `readings` (one or more). */
export function encodeTelemetry(
  readings: readonly EncodableReading[],
  bytesMax: number = BODY_BYTES_MAX,
): EncodedBodies {
  const [first] = readings;
  if (!first) return { bodies: [], count: 0, oversizedKeys: [] };
  const elements: string[] = [];
  let bytes = 2; // the brackets
  for (const reading of readings) {
    const element = encodeElement(reading.tsMs, reading.values);
    const addedBytes = utf8Bytes(element) + 1;
    if (bytes + addedBytes - 1 > bytesMax) break;
    elements.push(element);
    bytes += addedBytes;
  }
  if (elements.length > 0)
    return { bodies: [`[${elements.join(',')}]`], count: elements.length, oversizedKeys: [] };
  const split = splitValues(first.values, bytesMax - utf8Bytes(`[${encodeElement(first.tsMs, {})}]`));
  return {
    bodies: split.parts.map((values) => `[${encodeElement(first.tsMs, values)}]`),
    count: 1,
    oversizedKeys: split.oversizedKeys,
  };
}

/** True of a body made here whose readings have their dates: posted twice, it writes the same points (trap 9). */
export function isDated(body: string): boolean {
  return body.startsWith('[{"ts":');
}

/** Form 2 of the contract, or form 1 where there is no date. */
function encodeElement(ts: number | undefined, values: Values): string {
  return JSON.stringify(ts === undefined ? values : { ts, values });
}

/** Packs client attributes into flat objects, each within the bound. */
export function encodeAttributes(values: Values, bytesMax: number = BODY_BYTES_MAX): EncodedBodies {
  const split = splitValues(values, bytesMax - 2);
  return {
    bodies: split.parts.map((part) => JSON.stringify(part)),
    count: 1,
    oversizedKeys: split.oversizedKeys,
  };
}

function splitValues(values: Values, bytesMax: number): { parts: Values[]; oversizedKeys: string[] } {
  const parts: Values[] = [];
  const oversizedKeys: string[] = [];
  let part: Record<string, Value> = {};
  let bytes = 0;
  for (const [key, value] of Object.entries(values)) {
    const addedBytes = utf8Bytes(JSON.stringify({ [key]: value })) - 1; // one brace less, one comma more
    if (addedBytes - 1 > bytesMax) {
      oversizedKeys.push(key);
      continue;
    }
    if (bytes > 0 && bytes + addedBytes - 1 > bytesMax) {
      parts.push(part);
      part = {};
      bytes = 0;
    }
    part[key] = value;
    bytes += addedBytes;
  }
  if (bytes > 0) parts.push(part);
  return { parts, oversizedKeys };
}

/**
 * Length of a string in UTF-8; the core has no Buffer to ask. A lone surrogate counts 3, as JSON.stringify
 * escapes it longer.
 */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
