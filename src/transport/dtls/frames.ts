/**
 * The frames between the agent and its helper program, in both directions: type (one ASCII letter), length (uint32,
 * big-endian), payload. The helper is trusted with the keys, but its input comes from the network, so that every
 * frame is checked.
 */

/** Bytes of a payload from the helper. */
const PAYLOAD_MAX = 16_384;
const HEADER_BYTES = 5;

export interface LinkRequest {
  readonly address: string;
  readonly port: number;
  /** The name of the URL, or its IP address: what the certificate must be for. */
  readonly serverName: string;
  /** Forget the session: the server gets to see the whole handshake. */
  readonly isFull: boolean;
}

export type HelperEvent =
  /** The link can be used. `leaf`: the server's certificate in DER. */
  | { readonly type: 'up'; readonly isResumed: boolean; readonly leaf: Buffer }
  /** `code`: a verification error of OpenSSL, `ALERT_…`, the name of an errno, `SETTINGS` or `PROTOCOL`. */
  | {
      readonly type: 'failed';
      readonly code: string;
      readonly leaf: Buffer | undefined;
      readonly issuer: Buffer | undefined;
    }
  | { readonly type: 'datagram'; readonly bytes: Buffer }
  /** The link has ended. `code`: `CLOSE_NOTIFY`, `ALERT_…` or the name of an errno. */
  | { readonly type: 'down'; readonly code: string };

/** PEM texts; sent before the first link is opened. */
export const credentialFrames = (tls: {
  readonly ca?: string;
  readonly client?: { readonly cert: string; readonly key: string };
}): Buffer =>
  Buffer.concat([
    ...(tls.ca === undefined ? [] : [encodeFrame('A', Buffer.from(tls.ca))]),
    ...(tls.client === undefined
      ? []
      : [encodeFrame('C', Buffer.from(tls.client.cert)), encodeFrame('K', Buffer.from(tls.client.key))]),
  ]);

export function openFrame({ address, port, serverName, isFull }: LinkRequest): Buffer {
  const fixed = Buffer.alloc(3);
  fixed.writeUInt8(isFull ? 1 : 0, 0);
  fixed.writeUInt16BE(port, 1);
  return encodeFrame('O', Buffer.concat([fixed, Buffer.from(`${address}\0${serverName}`)]));
}

export function datagramFrame(bytes: Buffer): Buffer {
  return encodeFrame('D', bytes);
}

export function quitFrame(): Buffer {
  return encodeFrame('Q', Buffer.alloc(0));
}

function encodeFrame(type: string, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(type, 'latin1');
  header.writeUInt32BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

/** Cuts the bytes of the helper into events. */
export class FrameReader {
  #buffered = Buffer.alloc(0);

  /** The events that are complete; 'invalid' if this is no helper of this version. */
  push(chunk: Buffer): readonly HelperEvent[] | 'invalid' {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    const events: HelperEvent[] = [];
    while (this.#buffered.length >= HEADER_BYTES) {
      const length = this.#buffered.readUInt32BE(1);
      if (length > PAYLOAD_MAX) return 'invalid';
      if (this.#buffered.length < HEADER_BYTES + length) break;
      const event = parseEvent(
        this.#buffered.toString('latin1', 0, 1),
        this.#buffered.subarray(HEADER_BYTES, HEADER_BYTES + length),
      );
      if (!event) return 'invalid';
      events.push(event);
      // A copy: the rest must not keep the whole chunk alive.
      this.#buffered = Buffer.from(this.#buffered.subarray(HEADER_BYTES + length));
    }
    return events;
  }
}

function parseEvent(type: string, payload: Buffer): HelperEvent | undefined {
  switch (type) {
    case 'U':
      if (payload.length < 1) return undefined;
      return { type: 'up', isResumed: (payload.readUInt8(0) & 1) === 1, leaf: payload.subarray(1) };
    case 'F':
      return parseFailure(payload);
    case 'D':
      return { type: 'datagram', bytes: payload };
    case 'X':
      return isCode(payload) ? { type: 'down', code: payload.toString('latin1') } : undefined;
    default:
      return undefined;
  }
}

function parseFailure(payload: Buffer): HelperEvent | undefined {
  const end = payload.indexOf(0);
  const code = payload.subarray(0, Math.max(0, end));
  if (end < 0 || !isCode(code)) return undefined;
  const certificates: (Buffer | undefined)[] = [];
  let offset = end + 1;
  for (let index = 0; index < 2; index += 1) {
    if (payload.length < offset + 2) return undefined;
    const length = payload.readUInt16BE(offset);
    offset += 2;
    if (payload.length < offset + length) return undefined;
    certificates.push(length === 0 ? undefined : payload.subarray(offset, offset + length));
    offset += length;
  }
  const [leaf, issuer] = certificates;
  return { type: 'failed', code: code.toString('latin1'), leaf, issuer };
}

/** An upper-case word: it appears in the log. */
function isCode(bytes: Buffer): boolean {
  return /^[A-Z0-9_]{1,64}$/.test(bytes.toString('latin1'));
}
