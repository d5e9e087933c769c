/**
 * Turns texts about the host into attributes: a placeholder is absent, and a text that reads as a number stays
 * a text.
 *
 * The server parses a string of digits as a number (core/model/numeric-text.ts), which would cost a serial
 * number its leading zeros and turn version 1.10 into 1.1. So such a text gets a prefix, and a serial number always gets
 * "SN:", for one form across a fleet. All functions leave their own results unchanged, so the parent process
 * may check again what the child returned.
 */

import { isNumericText } from '../../core/model/numeric-text.ts';
import { isSharedSerial } from './shared-identifiers.ts';

const CHARACTERS_MAX = 255;

/** Texts in firmware fields that nobody filled in, and systeminformation's for unknown values. */
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

/** True for a text that stands in place of a serial number or a model. */
export function isPlaceholderText(text: string): boolean {
  return PLACEHOLDERS.some((placeholder) => placeholder.test(text.trim()));
}

/** The text on one line, at most 255 characters, with the prefix if the server would parse it as a number. */
export function plainText(raw: unknown, numberPrefix: string): string | undefined {
  if (typeof raw !== 'string') return undefined;
  const text = raw
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, CHARACTERS_MAX);
  if (text === '') return undefined;
  return isNumericText(text) ? `${numberPrefix}${text}`.slice(0, CHARACTERS_MAX) : text;
}

/** Like plainText, but undefined for a placeholder. */
export function factText(raw: unknown, numberPrefix: string): string | undefined {
  const text = plainText(raw, numberPrefix);
  return text === undefined || isPlaceholderText(String(raw)) ? undefined : text;
}

/** A serial number as SN:…; undefined for a placeholder, or if boards share it. */
export function serialText(raw: unknown): string | undefined {
  if (typeof raw !== 'string') return undefined;
  const serial = raw
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .replace(/^SN:/, '');
  if (isPlaceholderText(serial) || isSharedSerial(serial)) return undefined;
  return plainText(`SN:${serial}`, '');
}
