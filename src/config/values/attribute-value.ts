/**
 * Converts the value of a shared attribute, any JSON value, to the text of a setting. A number or a boolean becomes its text,
 * an array of texts and numbers a list, and an object a list of pairs: {"load1": 0.1} is "load1=0.1". The schema of the setting
 * checks the text; only what cannot be text is a problem here.
 */

/** Bound of a value as text, bytes of UTF-8. */
export const ATTRIBUTE_BYTES_MAX = 4096;
/** Of an array or an object. More than any list may have. */
const ELEMENTS_MAX = 256;

export type AttributeText =
  | { readonly text: string }
  /** Continues the sentence `<key> = <value> …`. */
  | { readonly problem: string };

export function attributeText(raw: unknown, isList: boolean): AttributeText {
  const text = toText(raw, isList);
  if (typeof text !== 'string') return text;
  return Buffer.byteLength(text) > ATTRIBUTE_BYTES_MAX
    ? { problem: `is longer than ${ATTRIBUTE_BYTES_MAX / 1024} KiB` }
    : { text };
}

function toText(raw: unknown, isList: boolean): string | { readonly problem: string } {
  const text = scalarText(raw);
  if (text !== undefined) return text;
  if (typeof raw !== 'object' || raw === null) return { problem: 'is null' };
  if (!isList) return { problem: Array.isArray(raw) ? 'is an array' : 'is an object' };
  const elements = Array.isArray(raw) ? raw.map(scalarText) : Object.entries(raw).map(pairText);
  if (elements.length > ELEMENTS_MAX) return { problem: `has more than ${ELEMENTS_MAX} elements` };
  const invalid = elements.findIndex((element) => element === undefined || element.includes(','));
  return invalid === -1 ? elements.join(', ') : { problem: `has an invalid element ${invalid + 1}` };
}

function pairText([key, value]: readonly [string, unknown]): string | undefined {
  const text = scalarText(value);
  return text === undefined || /=/.test(key + text) ? undefined : `${key}=${text}`;
}

function scalarText(raw: unknown): string | undefined {
  if (typeof raw === 'string') return raw;
  return typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : undefined;
}
