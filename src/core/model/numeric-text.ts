/**
 * Texts that the server takes for numbers, so that none is sent by accident. ThingsBoard stores the text "007"
 * as the number 7 (JsonConverter, NumberUtils.isParsable); its rules, alarms and calculated fields read texts
 * by Double.parseDouble, which accepts `1e5`, `1d`, `NaN` and `0x1p3`; its imports by NumberUtils.createNumber
 * (`0x1F`, `#1F`, `12L`, `1,5`); its widgets by Number() of JavaScript (`0b1`, `0o7`).
 */

const NUMERIC: readonly RegExp[] = [
  /^[-+]?(\p{Nd}+([.,]\p{Nd}*)?|[.,]\p{Nd}+)(e[-+]?\d+)?[dfl]?$/iu,
  /^[-+]?(0x|#)([\da-f]+(\.[\da-f]*)?|\.[\da-f]+)(p[-+]?\d+)?[dfl]?$/i,
  /^[-+]?0(b[01]+|o[0-7]+)$/i,
  /^[-+]?(nan|inf|infinity)$/i,
];

/** In doubt true: a needless prefix does no harm. */
export function isNumericText(text: string): boolean {
  const trimmed = text.trim();
  return NUMERIC.some((form) => form.test(trimmed));
}

/** The text in a form that nothing takes for a number: `deviceRevision 007` for the key `deviceRevision`. */
export function nonNumericText(key: string, text: string): string {
  return isNumericText(text) ? `${key} ${text}` : text;
}
