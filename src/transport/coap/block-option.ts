/** The Block1 and Block2 options (RFC 7959 section 2.2): which block of a body a message carries. */

export interface Block {
  /** Counts blocks of this size, from 0. */
  readonly number: number;
  readonly hasMore: boolean;
  /** SZX, 0 to 6: a block has 2^(SZX + 4) bytes. */
  readonly sizeExponent: number;
}

/** Blocks of 1,024 bytes, the server's own preference (contract section 2). */
export const SIZE_EXPONENT_MAX = 6;

export function blockBytes(sizeExponent: number): number {
  return 2 ** (sizeExponent + 4);
}

/** Undefined for a value of more than three bytes, and for the reserved SZX 7. */
export function parseBlock(value: Buffer): Block | undefined {
  if (value.length > 3) return undefined;
  const bits = value.length === 0 ? 0 : value.readUIntBE(0, value.length);
  const sizeExponent = bits & 0x07;
  if (sizeExponent > SIZE_EXPONENT_MAX) return undefined;
  return { number: bits >> 4, hasMore: (bits & 0x08) !== 0, sizeExponent };
}

/** The value of the option, a uint (RFC 7959 section 2.2). */
export function blockValue({ number, hasMore, sizeExponent }: Block): number {
  return number * 16 + (hasMore ? 8 : 0) + sizeExponent;
}
