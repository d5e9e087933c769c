/**
 * Texts about the host, made fit to be attributes: what says nothing is absent, and what looks like a number stays a text.
 *
 * The server turns a string of digits into a number (contract 4.2), which would cost a serial its leading zeros and make
 * version 1.10 into 1.1. Such a text therefore gets a prefix; a serial always gets "SN:", so that all of a fleet have one form.
 * All three functions leave their own results as they are, so the parent may check again what the child has made.
 */

const CHARACTERS_MAX = 255;

/** What firmware says when nobody filled in the field, and what systeminformation says when it does not know. */
const PLACEHOLDERS: readonly RegExp[] = [
  /^[\s\-_.0x]*$/i,
  /^f{8,}$/i,
  /^[0f-]{8,}$/i,
  /^to be filled( in)?( by o\.?e\.?m\.?)?$/i,
  /^not (specified|applicable|available|provided|present|set)$/i,
  /^(default string|default|n\/?a|none|null|nil|unknown|undefined|empty|oem|o\.e\.m\.?|invalid|computer)$/i,
  /^(system|base ?board|board|chassis|product|serial)[ -]?(product name|serial( ?number)?|name|number|version|sn)$/i,
  /^0?123456789(a(b(c(def?)?)?)?)?$|^1234567[890]*$/i,
];

/** True for a text that stands where a serial or a model should, and is none. */
export function isPlaceholderText(text: string): boolean {
  return PLACEHOLDERS.some((placeholder) => placeholder.test(text.trim()));
}

/** The text on one line, within bounds, and with the prefix if the server would take it for a number. */
export function plainText(raw: unknown, prefixOfNumbers: string): string | undefined {
  if (typeof raw !== 'string') return undefined;
  const text = raw
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, CHARACTERS_MAX);
  if (text === '') return undefined;
  return looksLikeNumber(text) ? `${prefixOfNumbers}${text}`.slice(0, CHARACTERS_MAX) : text;
}

/** As plainText; undefined too when firmware filled the field with words that mean nothing. */
export function factText(raw: unknown, prefixOfNumbers: string): string | undefined {
  const text = plainText(raw, prefixOfNumbers);
  return text === undefined || isPlaceholderText(String(raw)) ? undefined : text;
}

/** A serial number, always as SN:…; undefined when it is none. */
export function serialText(raw: unknown): string | undefined {
  if (typeof raw !== 'string') return undefined;
  const serial = raw
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .replace(/^SN:/, '');
  return isPlaceholderText(serial) ? undefined : plainText(`SN:${serial}`, '');
}

/** Rather too much than too little: a prefix that was not needed does no harm. */
function looksLikeNumber(text: string): boolean {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text);
}
