/**
 * Datagrams: what arrived, judged by the rules of RFC 7252, before anything else of the program sees it.
 *
 * The library behind us throws on legal input, takes answers from anybody and believes impossible codes. So
 * every datagram passes here first: it becomes an empty acknowledgement, a reset, a ping, an answer, or
 * nothing. Never throws.
 */

import { generate, parse } from 'coap-packet';

/** Datagrams longer than this are not looked at, bytes: ThingsBoard's own largest message (contract 2). */
const DATAGRAM_BYTES_MAX = 2048;
const CONTENT_FORMAT = 12;
const BLOCK2 = 23;
/** Critical options (odd numbers, RFC 7252 section 5.4.1) that may appear in an answer we can use. */
const KNOWN_CRITICAL_OPTIONS: ReadonlySet<number> = new Set([BLOCK2, 27]);

export type Datagram =
  | { readonly type: 'acknowledgement'; readonly messageId: number }
  | { readonly type: 'reset'; readonly messageId: number }
  | { readonly type: 'ping'; readonly messageId: number }
  | ResponseMessage;

export interface ResponseMessage {
  readonly type: 'response';
  readonly messageId: number;
  /** Lower-case hex. */
  readonly token: string;
  /** `2.05`, `4.01`, … always of class 2, 4 or 5. */
  readonly code: string;
  /** `acknowledgement`: piggybacked. `confirmable`: wants to be acknowledged. `once`: non-confirmable. */
  readonly kind: 'acknowledgement' | 'confirmable' | 'non-confirmable';
  /** Number of the Content-Format; absent when the option is. */
  readonly contentFormat?: number;
  readonly payload: Buffer;
  /** False when this is only the first block of a longer body. */
  readonly isComplete: boolean;
}

/** Judges one datagram; undefined for whatever RFC 7252 lets a client ignore. */
export function parseDatagram(bytes: Buffer): Datagram | undefined {
  if (bytes.length < 4 || bytes.length > DATAGRAM_BYTES_MAX) return undefined;
  const packet = tryParse(bytes);
  if (!packet) return undefined;
  const { messageId, code } = packet;
  if (code === '0.00') {
    if (bytes.length !== 4) return undefined; // an empty message is exactly its header (RFC 7252 section 4.1)
    if (packet.ack) return { type: 'acknowledgement', messageId };
    if (packet.reset) return { type: 'reset', messageId };
    return packet.confirmable ? { type: 'ping', messageId } : undefined;
  }
  if (packet.reset || !/^[245]\./.test(code) || packet.token.length === 0) return undefined;
  const options = readOptions(packet.options);
  if (!options) return undefined;
  return {
    type: 'response',
    messageId,
    token: packet.token.toString('hex'),
    code,
    kind: packet.ack ? 'acknowledgement' : packet.confirmable ? 'confirmable' : 'non-confirmable',
    payload: packet.payload,
    ...options,
  };
}

function tryParse(bytes: Buffer): ReturnType<typeof parse> | undefined {
  try {
    return parse(bytes);
  } catch {
    return undefined;
  }
}

/** The two options an answer may tell us something by; undefined when a critical option is beyond us. */
function readOptions(
  options: ReturnType<typeof parse>['options'],
): { contentFormat?: number; isComplete: boolean } | undefined {
  let contentFormat: number | undefined;
  let isComplete = true;
  for (const { name, value } of options) {
    const number = optionNumber(name);
    if (number === CONTENT_FORMAT && value.length <= 2)
      contentFormat = value.length ? value.readUIntBE(0, value.length) : 0;
    else if (number === BLOCK2) {
      const lastByte = value.at(-1);
      // The "more" bit, or a block that is not the first (RFC 7959 section 2.2).
      if (lastByte !== undefined && ((lastByte & 0x08) !== 0 || value.length > 1 || lastByte >> 4 !== 0))
        isComplete = false;
    } else if (number % 2 === 1 && !KNOWN_CRITICAL_OPTIONS.has(number)) return undefined;
  }
  return contentFormat === undefined ? { isComplete } : { contentFormat, isComplete };
}

/** Numbers of the option names `coap-packet` knows; it gives the others as their number. */
const OPTION_NUMBERS: Readonly<Record<string, number>> = {
  'If-Match': 1,
  'Uri-Host': 3,
  ETag: 4,
  'If-None-Match': 5,
  Observe: 6,
  'Uri-Port': 7,
  'Location-Path': 8,
  OSCORE: 9,
  'Uri-Path': 11,
  'Content-Format': CONTENT_FORMAT,
  'Max-Age': 14,
  'Uri-Query': 15,
  'Hop-Limit': 16,
  Accept: 17,
  'Q-Block1': 19,
  'Location-Query': 20,
  Block2: BLOCK2,
  Block1: 27,
  Size2: 28,
  'Q-Block2': 31,
  'Proxy-Uri': 35,
  'Proxy-Scheme': 39,
  Size1: 60,
  'No-Response': 258,
  'OCF-Accept-Content-Format-Version': 2049,
  'OCF-Content-Format-Version': 2053,
};

function optionNumber(name: string | number): number {
  return OPTION_NUMBERS[name] ?? Number(name);
}

/** An empty message: acknowledgement, reset, or (tests) ping. */
export function emptyMessage(type: 'ack' | 'reset', messageId: number): Buffer {
  return generate({ code: '0.00', messageId, ack: type === 'ack', reset: type === 'reset' });
}

/**
 * The answer as the piggybacked acknowledgement of request `messageId`, with no option but its
 * Content-Format: the one form the library handles without leaking or throwing.
 */
export function toPiggybacked(response: ResponseMessage, messageId: number): Buffer {
  const format = response.contentFormat;
  const value =
    format === undefined
      ? undefined
      : format === 0
        ? Buffer.alloc(0)
        : Buffer.from(format > 255 ? [format >> 8, format & 255] : [format]);
  return generate(
    {
      ack: true,
      code: response.code,
      messageId,
      token: Buffer.from(response.token, 'hex'),
      options: value ? [{ name: 'Content-Format', value }] : [],
      payload: response.payload,
    },
    DATAGRAM_BYTES_MAX,
  );
}
