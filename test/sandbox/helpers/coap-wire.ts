/**
 * CoAP messages as bytes (RFC 7252 section 3), written and read without a library, so that a mistake of the
 * library that the sandbox uses does not confirm itself.
 */

export interface Message {
  readonly type: 'CON' | 'NON' | 'ACK' | 'RST';
  /** `0.02` is POST, `2.05` Content. */
  readonly code: string;
  readonly messageId: number;
  readonly token: Buffer;
  readonly options: readonly WireOption[];
  readonly payload: Buffer;
}

export type WireOption = readonly [number: number, value: Buffer];

const TYPES = ['CON', 'NON', 'ACK', 'RST'] as const;
const NAMES: ReadonlyMap<number, string> = new Map([
  [6, 'Observe'],
  [12, 'Content-Format'],
  [17, 'Accept'],
  [23, 'Block2'],
  [27, 'Block1'],
  [28, 'Size2'],
  [60, 'Size1'],
]);
const BLOCKS: ReadonlySet<string> = new Set(['Block1', 'Block2']);
const PAYLOAD_MARKER = 0xff;

export function encodeMessage({ type, code, messageId, token, options, payload }: Message): Buffer {
  const [major, minor] = code.split('.').map(Number);
  const head = Buffer.from([
    (1 << 6) | (TYPES.indexOf(type) << 4) | token.length,
    ((major ?? 0) << 5) | (minor ?? 0),
    messageId >> 8,
    messageId & 255,
  ]);
  const parts: Buffer[] = [head, token];
  let previous = 0;
  for (const [number, value] of options.toSorted(([one], [other]) => one - other)) {
    const [delta, deltaBytes] = nibble(number - previous);
    const [length, lengthBytes] = nibble(value.length);
    parts.push(Buffer.from([(delta << 4) | length]), deltaBytes, lengthBytes, value);
    previous = number;
  }
  if (payload.length > 0) parts.push(Buffer.from([PAYLOAD_MARKER]), payload);
  return Buffer.concat(parts);
}

/** Throws if the datagram ends too early. */
export function decodeMessage(datagram: Buffer): Message {
  const first = datagram.readUInt8(0);
  const code = datagram.readUInt8(1);
  let at = 4 + (first & 15);
  const token = datagram.subarray(4, at);
  const options: WireOption[] = [];
  let number = 0;
  while (at < datagram.length && datagram.readUInt8(at) !== PAYLOAD_MARKER) {
    const byte = datagram.readUInt8(at);
    const delta = extended(datagram, at + 1, byte >> 4);
    const length = extended(datagram, delta.next, byte & 15);
    number += delta.value;
    at = length.next + length.value;
    options.push([number, datagram.subarray(length.next, at)]);
  }
  return {
    type: TYPES[(first >> 4) & 3] ?? 'CON',
    code: `${code >> 5}.${String(code & 31).padStart(2, '0')}`,
    messageId: datagram.readUInt16BE(2),
    token,
    options,
    payload: datagram.subarray(at + 1),
  };
}

/** An option from its name or number and a whole number, or for a block `3/more/1024` or `3/last/1024`. */
export function optionOf(name: string, value: string | number): WireOption {
  const number = [...NAMES].find(([, known]) => known === name)?.[0] ?? Number(name);
  if (typeof value === 'number') return [number, uintBytes(value)];
  const [num, more, bytes] = value.split('/');
  return [number, uintBytes(Number(num) * 16 + (more === 'more' ? 8 : 0) + Math.log2(Number(bytes)) - 4)];
}

/** `Name=value`, the value as in `optionOf`; in hex if it is not of the shortest form. */
export function describeOption([number, value]: WireOption): string {
  const name = NAMES.get(number) ?? String(number);
  const uint = value.length > 4 ? Number.NaN : value.reduce((sum, byte) => sum * 256 + byte, 0);
  if (Number.isNaN(uint) || !uintBytes(uint).equals(value)) return `${name}=0x${value.toString('hex')}`;
  if (!BLOCKS.has(name)) return `${name}=${uint}`;
  return `${name}=${uint >> 4}/${(uint & 8) !== 0 ? 'more' : 'last'}/${2 ** ((uint & 7) + 4)}`;
}

function uintBytes(value: number): Buffer {
  const hex = value === 0 ? '' : value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

function nibble(value: number): readonly [nibble: number, bytes: Buffer] {
  if (value < 13) return [value, Buffer.alloc(0)];
  if (value < 269) return [13, Buffer.from([value - 13])];
  return [14, Buffer.from([(value - 269) >> 8, (value - 269) & 255])];
}

function extended(datagram: Buffer, at: number, value: number): { value: number; next: number } {
  if (value === 13) return { value: datagram.readUInt8(at) + 13, next: at + 1 };
  if (value === 14) return { value: datagram.readUInt16BE(at) + 269, next: at + 2 };
  return { value, next: at };
}
