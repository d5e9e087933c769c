/**
 * Parses a decimal literal without loss into digits and scale, like Java's BigDecimal. The server chooses the
 * type of a value by these two (contract section 4.2).
 */

export interface Decimal {
  /** False for zero: BigDecimal has no -0, so `-0.0` is stored as 0. */
  readonly negative: boolean;
  /** All digits without the point, no leading zeros except a lone 0. */
  readonly digits: string;
  /** Digits after the point; negative: that many zeros follow the digits. */
  readonly scale: number;
}

/**
 * Maximum number of digits, because 1E999999999 would fill the memory; newer versions of Gson have a limit
 * too.
 */
export const DIGITS_MAX = 10_000;

const LITERAL = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/;

/** Undefined if the text is not a decimal number or has more than DIGITS_MAX digits. */
export function parseDecimal(literal: string): Decimal | undefined {
  const match = LITERAL.exec(literal);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const written = whole + fraction;
  if (written === '') return undefined;
  const scale = fraction.length - Number(exponent);
  if (written.length > DIGITS_MAX || Math.abs(scale) > DIGITS_MAX) return undefined;
  const digits = written.replace(/^0+(?=[0-9])/, '');
  return { negative: sign === '-' && digits !== '0', digits, scale };
}

/** True if only zeros follow the point. */
export function isWhole(decimal: Decimal): boolean {
  if (decimal.digits === '0' || decimal.scale <= 0) return true;
  const trailingZeros = decimal.digits.length - decimal.digits.replace(/0+$/, '').length;
  return trailingZeros >= decimal.scale;
}

/** The number without exponent, with exactly `scale` decimals. */
export function plainText(decimal: Decimal): string {
  const sign = decimal.negative ? '-' : '';
  if (decimal.scale <= 0) {
    const zeros = decimal.digits === '0' ? '' : '0'.repeat(-decimal.scale);
    return sign + decimal.digits + zeros;
  }
  const padded = decimal.digits.padStart(decimal.scale + 1, '0');
  return `${sign}${padded.slice(0, -decimal.scale)}.${padded.slice(-decimal.scale)}`;
}

/** The integer part, exactly. */
export function integerPart(decimal: Decimal): bigint {
  return BigInt(plainText(decimal).split('.')[0] ?? '0');
}
