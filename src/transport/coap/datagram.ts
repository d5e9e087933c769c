/**
 * Parses and builds CoAP datagrams by the rules of RFC 7252. Never throws on input. Every datagram is parsed
 * here before the library sees it, because the library throws on legal input, accepts responses from any
 * sender and accepts impossible codes.
 */

import { generate, parse } from 'coap-packet';
import { type Block, parseBlock } from './block-option.ts';

/** Longer datagrams are ignored, bytes: the largest message of ThingsBoard (contract section 2). */
const DATAGRAM_BYTES_MAX = 2048;
const OBSERVE = 6;
const CONTENT_FORMAT = 12;
const MAX_AGE = 14;
const BLOCK2 = 23;
const BLOCK1 = 27;
const SIZE2 = 28;
/** Critical options (odd numbers, RFC 7252 section 5.4.1) that a usable response may have. */
const KNOWN_CRITICAL_OPTIONS: ReadonlySet<number> = new Set([BLOCK2, BLOCK1]);

/** Options that do not keep an error from being bare. */
const MAY_BE_BARE: ReadonlySet<number> = new Set([OBSERVE, BLOCK1]);

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
  /** `acknowledgement`: piggybacked. `confirmable`: must be acknowledged. */
  readonly kind: 'acknowledgement' | 'confirmable' | 'non-confirmable';
  /** Number of the Content-Format, if the option is present. */
  readonly contentFormat?: number;
  readonly payload: Buffer;
  /** False if this is one block of a longer body. */
  readonly isComplete: boolean;
  /** The Observe number of a notification or of the response to a registration, below 2^24 (RFC 7641). */
  readonly observe?: number;
  /** The block of the request that this responds to. */
  readonly block1?: Block;
  readonly block2?: Block;
  /** Bytes of the whole body, as the server announces them. */
  readonly size2?: number;
  /** No payload, and no option but Observe and Block1, which answer the same options of the request: the form of ThingsBoard's errors (contract section 2, kind B). */
  readonly isBare: boolean;
  /** Max-Age of an error, if the option is present: the wait before a repetition, s (RFC 7252 section 5.9.3.4). */
  readonly maxAgeS?: number;
}

type ResponseOptions = Omit<
  ResponseMessage,
  'type' | 'messageId' | 'token' | 'code' | 'kind' | 'payload' | 'isBare'
>;

/** Undefined for a datagram that a client may ignore (RFC 7252). */
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
    isBare:
      packet.payload.length === 0 && packet.options.every(({ name }) => MAY_BE_BARE.has(optionNumber(name))),
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

/** Reads the options that the agent uses; undefined if there is an unknown critical one. */
function readOptions(options: ReturnType<typeof parse>['options']): ResponseOptions | undefined {
  const read: { -readonly [Name in keyof ResponseOptions]: ResponseOptions[Name] } = { isComplete: true };
  for (const { name, value } of options) {
    const number = optionNumber(name);
    if (number === CONTENT_FORMAT && value.length <= 2) read.contentFormat = readUint(value);
    else if (number === MAX_AGE && value.length <= 4) read.maxAgeS = readUint(value);
    else if (number === OBSERVE && value.length <= 3) read.observe = readUint(value);
    else if (number === SIZE2 && value.length <= 4) read.size2 = readUint(value);
    else if (number === BLOCK1) setBlock(read, 'block1', value);
    else if (number === BLOCK2) {
      setBlock(read, 'block2', value);
      const lastByte = value.at(-1);
      // The "more" bit, or a block that is not the first (RFC 7959 section 2.2).
      if (lastByte !== undefined && ((lastByte & 0x08) !== 0 || value.length > 1 || lastByte >> 4 !== 0))
        read.isComplete = false;
    } else if (number % 2 === 1 && !KNOWN_CRITICAL_OPTIONS.has(number)) return undefined;
  }
  return read;
}

/** The value of an option of format uint (RFC 7252 section 3.2); 0 to 4 bytes. */
function readUint(value: Buffer): number {
  return value.length === 0 ? 0 : value.readUIntBE(0, value.length);
}

function setBlock(read: { block1?: Block; block2?: Block }, name: 'block1' | 'block2', value: Buffer): void {
  const block = parseBlock(value);
  if (block) read[name] = block;
}

/** Numbers of the option names of `coap-packet`, which returns other options by number. */
const OPTION_NUMBERS: Readonly<Record<string, number>> = {
  'If-Match': 1,
  'Uri-Host': 3,
  ETag: 4,
  'If-None-Match': 5,
  Observe: OBSERVE,
  'Uri-Port': 7,
  'Location-Path': 8,
  OSCORE: 9,
  'Uri-Path': 11,
  'Content-Format': CONTENT_FORMAT,
  'Max-Age': MAX_AGE,
  'Uri-Query': 15,
  'Hop-Limit': 16,
  Accept: 17,
  'Q-Block1': 19,
  'Location-Query': 20,
  Block2: BLOCK2,
  Block1: BLOCK1,
  Size2: SIZE2,
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

/** An empty message; the peer answers a ping with a reset (RFC 7252 section 4.3). */
export function emptyMessage(type: 'ack' | 'reset' | 'ping', messageId: number): Buffer {
  return generate({
    code: '0.00',
    messageId,
    ack: type === 'ack',
    reset: type === 'reset',
    confirmable: type === 'ping',
  });
}

/**
 * Rewrites a response as the piggybacked acknowledgement of request `messageId`, with Content-Format as its
 * only option: the one form that the library handles without leaking or throwing.
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
