/**
 * Encodes readings into telemetry bodies that fit one datagram.
 *
 * Uses the array form of contract section 4.1, several readings per body up to `BODY_BYTES_MAX`, so that no
 * block-wise transfer is needed. An element has its own `ts`, so a repeated body overwrites the same points;
 * an undated reading has none and is dated by the server on arrival (trap 9). A body is never empty (trap 6).
 */

import { parseJsonObject } from '../model/json-object.ts';
import type { Reading, Value, Values } from '../model/reading.ts';
import type { Secret } from '../model/secret.ts';

/**
 * Payload bound, bytes: 1280 (IPv6 minimum MTU) less IPv6, UDP and CoAP headers and a token of 255
 * characters, rounded down.
 */
export const BODY_BYTES_MAX = 940;

/**
 * The longest message over DTLS, bytes: ThingsBoard drops longer ones without a word (its records have 1,024 bytes, contract
 * section 9).
 */
export const DTLS_MESSAGE_BYTES_MAX = 1_024;

/**
 * Bytes of a post over DTLS beside its body and the access token: header, token of the message, Uri-Path options `api`, `v1` and
 * `attributes`, Content-Format, and the marker of the payload (RFC 7252 section 3).
 */
const OTHER_BYTES = 4 + 2 + 4 + 3 + 11 + 2 + 1;
/** Longer options have a second byte of length (RFC 7252 section 3.1). */
const SHORT_OPTION_BYTES = 12;

/** `accessToken`: absent if it is not in the path. At most what packs into a datagram of any path. */
export function coapBodyBytesMax(messageBytesMax: number, accessToken: Secret | undefined): number {
  const bytes = accessToken ? utf8Bytes(accessToken.reveal()) : 0;
  const option = accessToken ? bytes + (bytes > SHORT_OPTION_BYTES ? 2 : 1) : 0;
  return Math.min(BODY_BYTES_MAX, messageBytesMax - OTHER_BYTES - option);
}

export interface EncodedBodies {
  /** Bodies to post in this order; several only if one reading is too large for one body. */
  readonly bodies: readonly string[];
  /** Number of readings in the bodies, from the first on; at least 1. */
  readonly count: number;
  /** Keys omitted because the key with its value alone exceeds the bound. */
  readonly oversizedKeys: readonly string[];
}

/** The part of a reading that is sent. */
export type EncodableReading = Pick<Reading, 'tsMs' | 'values'>;

/** Encodes the first readings of `readings` (one or more). */
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

/**
 * True if the readings of the body have timestamps: then posting it twice writes the same points (trap 9).
 */
export function isDated(body: string): boolean {
  return body.startsWith('[{"ts":');
}

/** Form 2 of the contract, or form 1 without a timestamp. */
function encodeElement(ts: number | undefined, values: Values): string {
  return JSON.stringify(ts === undefined ? values : { ts, values });
}

/** Encodes client attributes into flat objects, each within the bound. */
export function encodeAttributes(values: Values, bytesMax: number = BODY_BYTES_MAX): EncodedBodies {
  const split = splitValues(values, bytesMax - 2);
  return {
    bodies: split.parts.map((part) => JSON.stringify(part)),
    count: 1,
    oversizedKeys: split.oversizedKeys,
  };
}

/** The two halves of a body of `encodeAttributes`; itself if it has one attribute only. */
export function halveAttributes(body: string): readonly string[] {
  const entries = Object.entries(parseJsonObject(body) ?? {});
  if (entries.length < 2) return [body];
  const middle = Math.ceil(entries.length / 2);
  return [entries.slice(0, middle), entries.slice(middle)].map((half) =>
    JSON.stringify(Object.fromEntries(half)),
  );
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
 * Length of a string in UTF-8; the core may not use Buffer. A lone surrogate counts 3; JSON.stringify
 * replaces it by a longer escape.
 */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  // By index: iterating over characters allocates two objects for each.
  for (let at = 0; at < text.length; at += 1) {
    const point = text.codePointAt(at) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (point >= 0x10000) at += 1;
  }
  return bytes;
}
