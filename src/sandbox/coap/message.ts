/**
 * Parses and encodes CoAP messages with coap-packet. The frame is checked first, because coap-packet accepts
 * truncated tokens and options, and extended token lengths, which the real server rejects.
 */

import { generate, parse } from 'coap-packet';
import { type CoapOption, optionNumber, readStrings } from './options.ts';

export interface Peer {
  readonly address: string;
  readonly port: number;
}

export interface CoapRequest {
  readonly peer: Peer;
  readonly confirmable: boolean;
  readonly messageId: number;
  readonly token: Buffer;
  /** `0.01` is GET, `0.02` POST. */
  readonly code: string;
  readonly options: readonly CoapOption[];
  readonly path: readonly string[];
  readonly query: readonly string[];
  readonly payload: Buffer;
}

export interface CoapResponse {
  readonly code: string;
  readonly options?: readonly CoapOption[];
  readonly payload?: Buffer;
}

export type Inbound =
  | { readonly type: 'request'; readonly request: CoapRequest }
  | { readonly type: 'acknowledgement' | 'reset' | 'ping'; readonly messageId: number };

const methods: ReadonlySet<string> = new Set(['0.01', '0.02', '0.03', '0.04', '0.05', '0.06', '0.07']);

/** Above coap-packet's default of 1280 bytes: a response has up to 1024 bytes of body and a few options. */
const responseBytesMax = 4_096;

export function peerKey(peer: Peer): string {
  return `${peer.address} ${peer.port}`;
}

/** Identifies a block-wise transfer (contract section 2). */
export function uriKey(request: CoapRequest): string {
  return `${peerKey(request.peer)} ${JSON.stringify([request.path, request.query])}`;
}

/**
 * Undefined unless it is a well-formed CoAP message of version 1; others get no response (contract section
 * 1.1).
 */
export function parseDatagram(datagram: Buffer, peer: Peer): Inbound | undefined {
  const numbers = parseFrame(datagram);
  if (numbers === undefined) return undefined;
  try {
    const packet = parse(datagram);
    const { messageId } = packet;
    if (packet.code === '0.00') {
      if (packet.ack) return { type: 'acknowledgement', messageId };
      if (packet.reset) return { type: 'reset', messageId };
      return packet.confirmable ? { type: 'ping', messageId } : undefined;
    }
    if (packet.ack || packet.reset || !methods.has(packet.code)) return undefined;
    const options = packet.options.map(({ value }, position) => ({ number: numbers[position] ?? 0, value }));
    return {
      type: 'request',
      request: {
        peer,
        confirmable: packet.confirmable,
        messageId,
        token: packet.token,
        code: packet.code,
        options,
        path: splitPath(readStrings(options, optionNumber.uriPath)),
        query: readStrings(options, optionNumber.uriQuery),
        payload: packet.payload,
      },
    };
  } catch {
    return undefined;
  }
}

export function encode(
  type: 'con' | 'non' | 'ack',
  messageId: number,
  token: Buffer,
  response: CoapResponse,
): Buffer {
  return generate(
    {
      confirmable: type === 'con',
      ack: type === 'ack',
      code: response.code,
      messageId,
      token,
      options: (response.options ?? []).map(({ number, value }) => ({ name: number, value })),
      payload: response.payload ?? Buffer.alloc(0),
    },
    responseBytesMax,
  );
}

export function emptyMessage(type: 'ack' | 'rst', messageId: number): Buffer {
  return generate({ ack: type === 'ack', reset: type === 'rst', code: '0.00', messageId });
}

/** Splits a path that arrives in one option, like the real server (contract section 1.1). */
function splitPath(segments: string[]): string[] {
  const [only] = segments;
  if (segments.length !== 1 || only === undefined || !only.includes('/')) return segments;
  return only.split('/').filter((segment) => segment !== '');
}

/** The option numbers in order; undefined if the frame is malformed (RFC 7252 section 3). */
function parseFrame(datagram: Buffer): number[] | undefined {
  const first = datagram[0] ?? 0;
  const tokenLength = first & 15;
  let position = 4 + tokenLength;
  if (first >> 6 !== 1 || tokenLength > 8 || position > datagram.length) return undefined;
  const numbers: number[] = [];
  let number = 0;
  while (position < datagram.length) {
    const byte = datagram[position] ?? 0;
    // A payload marker without a payload is a format error (RFC 7252 section 3).
    if (byte === 0xff) return position + 1 < datagram.length ? numbers : undefined;
    const delta = readExtended(datagram, position + 1, byte >> 4);
    const length = delta && readExtended(datagram, delta.next, byte & 15);
    if (delta === undefined || length === undefined) return undefined;
    number += delta.value;
    position = length.next + length.value;
    if (position > datagram.length || number > 0xffff) return undefined;
    numbers.push(number);
  }
  return numbers;
}

/** Reads a four-bit option delta or length with its extension of zero, one or two bytes. */
function readExtended(
  datagram: Buffer,
  position: number,
  nibble: number,
): { readonly value: number; readonly next: number } | undefined {
  if (nibble < 13) return { value: nibble, next: position };
  if (nibble === 13 && position + 1 <= datagram.length)
    return { value: datagram.readUInt8(position) + 13, next: position + 1 };
  if (nibble === 14 && position + 2 <= datagram.length) {
    return { value: datagram.readUInt16BE(position) + 269, next: position + 2 };
  }
  return undefined;
}
