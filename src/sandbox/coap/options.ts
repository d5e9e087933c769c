/**
 * CoAP options by number, with the integer and block codecs of RFC 7252 section 3.2 and RFC 7959 section 2.2.
 */

export interface CoapOption {
  readonly number: number;
  readonly value: Buffer;
}

export const optionNumber = {
  observe: 6,
  uriPath: 11,
  contentFormat: 12,
  uriQuery: 15,
  block2: 23,
  block1: 27,
  size2: 28,
  size1: 60,
} as const;

/**
 * The critical options of Californium 3.12, the stack of the real server (contract section 1.1): If-Match,
 * Uri-Host, If-None-Match, Uri-Port, OSCORE, Uri-Path, Uri-Query, Accept, Block2, Block1, Proxy-Uri,
 * Proxy-Scheme.
 */
const knownCritical: ReadonlySet<number> = new Set([1, 3, 5, 7, 9, 11, 15, 17, 23, 27, 35, 39]);

export function unknownCriticalOption(options: readonly CoapOption[]): number | undefined {
  return options.find(({ number }) => number % 2 === 1 && !knownCritical.has(number))?.number;
}

/** The shortest big-endian form: 0 has zero bytes, as in Observe 0 and text/plain. */
export function uintBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.subarray(Math.floor(Math.clz32(value) / 8));
}

export function uintOption(number: number, value: number): CoapOption {
  return { number, value: uintBytes(value) };
}

/** Undefined if the option is absent or longer than `bytesMax`. */
export function readUint(
  options: readonly CoapOption[],
  number: number,
  bytesMax: number,
): number | undefined {
  const option = options.find((candidate) => candidate.number === number);
  if (option === undefined || option.value.length > bytesMax) return undefined;
  return option.value.reduce((sum, byte) => sum * 256 + byte, 0);
}

export function readStrings(options: readonly CoapOption[], number: number): string[] {
  return options.filter((option) => option.number === number).map((option) => option.value.toString('utf8'));
}

/** One block of a body: `num` counts blocks of 2^(szx+4) bytes. */
export interface Block {
  readonly num: number;
  readonly more: boolean;
  readonly szx: number;
}

export type BlockReading =
  | { readonly status: 'absent' }
  | { readonly status: 'malformed' }
  | { readonly status: 'present'; readonly block: Block };

export function readBlock(options: readonly CoapOption[], number: number): BlockReading {
  const option = options.find((candidate) => candidate.number === number);
  if (option === undefined) return { status: 'absent' };
  const bits = readUint([option], number, 3);
  // SZX 7 is reserved over UDP (RFC 7959 section 2.2).
  if (bits === undefined || (bits & 7) === 7) return { status: 'malformed' };
  return { status: 'present', block: { num: bits >> 4, more: (bits & 8) !== 0, szx: bits & 7 } };
}

export function blockOption(number: number, block: Block): CoapOption {
  return uintOption(number, block.num * 16 + (block.more ? 8 : 0) + block.szx);
}

export function blockBytes(szx: number): number {
  return 2 ** (szx + 4);
}
