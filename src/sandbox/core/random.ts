/**
 * Seeded chance for the sandbox: the same seed gives the same losses, delays and latencies, so a failing run can be
 * repeated by its seed.
 *
 * The generator is splitmix32. A plain linear congruence gives neighbouring seeds neighbouring runs, and then
 * twenty-five seeds test little more than one. Not for secrets: tokens come from the operating system.
 */

/** Throws a number in [0, 1). */
export type RandomSource = () => number;

/** Dice that always fall the same way for the same seed; only the seed's low 32 bits count. */
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
