/**
 * Deadbands as operators write them, "cpuTemperatureC=0.5, net*=1000": a key of a reading and by how much its value has
 * to move before it is reported anew.
 *
 * Each number above 0 and plain (no sign, no exponent). A key may hold `*` for any characters; one that is named itself
 * counts before such a one. Whether any sensor delivers such a key is not asked: sensors differ from host to host.
 */

import { KEY_GLOB, PAIRS_MAX, type PairFormat, parsePairs, plainNumber } from './key-values.ts';

export { KEY_CHARACTERS_MAX } from './key-values.ts';
export const DEADBANDS_MAX = PAIRS_MAX;

const DEADBAND: PairFormat<number> = {
  name: KEY_GLOB,
  syntax: 'key=number',
  parse: (text) => {
    const deadband = plainNumber(text);
    if (deadband === undefined || text.startsWith('-')) return { problem: '' };
    return deadband === 0 ? { problem: 'a number that is not above 0' } : { value: deadband };
  },
};

/** The deadbands, or what is wrong with them, as the continuation of a sentence. */
export function parseDeadbands(text: string): ReadonlyMap<string, number> | string {
  return parsePairs(text, DEADBAND);
}
