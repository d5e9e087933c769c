/** Pins of public keys as operators write them: Base64 of SHA-256, as HTTP's own pins were (RFC 7469 section 2.4). */

export const PINS_MAX = 8;

/** One or several, separated by commas; or what is wrong with them, as the continuation of a sentence. */
export function parsePins(text: string): readonly string[] | string {
  const pins = text.split(',').map((pin) => pin.trim().replace(/^sha256[/:]+/i, ''));
  if (pins.length > PINS_MAX) return `has more than ${PINS_MAX} pins`;
  const invalidIndex = pins.findIndex((pin) => !/^[A-Za-z0-9+/]{43}=$/.test(pin));
  return invalidIndex === -1
    ? pins
    : `has something other than a SHA-256 in Base64 as part ${invalidIndex + 1}`;
}
