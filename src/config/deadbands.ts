/**
 * Deadbands as operators write them, "cpuTemperatureC=0.5, load1=0.1": a key of a reading and by how much its value has
 * to move before it is reported anew.
 *
 * Each key once, each number above 0 and plain (no sign, no exponent); spaces around a pair do not count. Empty text is no
 * deadband at all. Whether any sensor delivers such a key is not asked: sensors differ from host to host.
 */

export const DEADBANDS_MAX = 64;
/** As of every key of a reading (core/reading.ts). */
export const KEY_CHARACTERS_MAX = 64;

const PAIR = /^([A-Za-z0-9]+) *= *(\d{1,15}(?:\.\d{1,15})?)$/;

/** The deadbands, or what is wrong with them, as the continuation of a sentence. */
export function parseDeadbands(text: string): ReadonlyMap<string, number> | string {
  const deadbands = new Map<string, number>();
  if (text.trim() === '') return deadbands;
  const parts = text.split(',');
  if (parts.length > DEADBANDS_MAX) return `has more than ${DEADBANDS_MAX} keys`;
  for (const [index, part] of parts.entries()) {
    const place = `as part ${index + 1}`;
    const [, key, digits] = PAIR.exec(part.trim()) ?? [];
    if (key === undefined) return `has something other than key=number ${place}`;
    if (key.length > KEY_CHARACTERS_MAX) return `has a key that is too long ${place}`;
    if (deadbands.has(key)) return `has a key for the second time ${place}`;
    const least = Number(digits);
    if (least === 0) return `has a number that is not above 0 ${place}`;
    deadbands.set(key, least);
  }
  return deadbands;
}
