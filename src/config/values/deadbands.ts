/**
 * Deadbands as operators write them, "cpuTemperatureC=0.5, net*=1000": a key of a reading and by how much its value has
 * to move before it is reported anew.
 *
 * Each number above 0 and plain (no sign, no exponent). A key may hold `*` for any characters; one that is named itself
 * counts before such a one. Whether any sensor delivers such a key is not asked: sensors differ from host to host.
 */

import { KEY_GLOB, PAIRS_MAX, type PairKind, parsePairs, plainNumber } from './key-values.ts';

export { KEY_CHARACTERS_MAX } from './key-values.ts';
export const DEADBANDS_MAX = PAIRS_MAX;

const DEADBAND: PairKind<number> = {
  name: KEY_GLOB,
  form: 'key=number',
  parse: (text) => {
    const least = plainNumber(text);
    if (least === undefined || text.startsWith('-')) return { wrong: '' };
    return least === 0 ? { wrong: 'a number that is not above 0' } : { is: least };
  },
};

/** The deadbands, or what is wrong with them, as the continuation of a sentence. */
export function parseDeadbands(text: string): ReadonlyMap<string, number> | string {
  return parsePairs(text, DEADBAND);
}
