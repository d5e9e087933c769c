/**
 * A seeded random source, so that a failing run can be repeated. splitmix32: a linear congruential generator
 * gives similar sequences for neighbouring seeds, so that 25 seeds test little more than one. Not for
 * secrets.
 */

/** Returns a number in [0, 1). */
export type RandomSource = () => number;

/** The same sequence for the same seed; only its low 32 bits count. */
export function createRandom(seed: number): RandomSource {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 0x1_0000_0000;
  };
}
