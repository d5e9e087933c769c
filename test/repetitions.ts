/**
 * How often a test repeats what it proves with other inputs: in a part in `npm test`, in full in the slow tier. A test file that
 * imports this runs in both.
 */

const isSlowTier = process.env['TEST_TIER'] === 'slow';

/** `all` in the slow tier, a tenth elsewhere; `fast` says another number. The inputs of a fixed seed begin alike. */
export function repetitions(all: number, fast: number = Math.ceil(all / 10)): number {
  return isSlowTier ? all : fast;
}

/** The distance of the inputs that are tried: 1 in the slow tier, which tries all, `fast` elsewhere. */
export function stride(fast: number): number {
  return isSlowTier ? 1 : fast;
}

/** All of the list in the slow tier, its first `fast` elsewhere. */
export function someOf<T>(list: readonly T[], fast: number): readonly T[] {
  return isSlowTier ? list : list.slice(0, fast);
}
