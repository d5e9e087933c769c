/**
 * How often a test repeats what it proves with other inputs: in a part in `npm test`, in full in the slow tier. A test file that
 * imports this runs in both.
 */

const isSlowTier = process.env['TEST_TIER'] === 'slow';
/** Above 0, at most 1: how much of the costliest the slow tier does. */
const part = Number(process.env['SLOW_PART'] ?? 1);

/** `all` in the slow tier, a tenth elsewhere; `fast` says another number. The inputs of a fixed seed begin alike. */
export function repetitions(all: number, fast: number = Math.ceil(all / 10)): number {
  return isSlowTier ? all : fast;
}

/** For what takes minutes in full: SLOW_PART of `all` in the slow tier. */
export function costlyRepetitions(all: number, fast?: number): number {
  return isSlowTier ? Math.ceil(all * part) : repetitions(all, fast);
}

/** The distance of the inputs that are tried: 1 in the slow tier, more with SLOW_PART, `fast` elsewhere. */
export function stride(fast: number): number {
  return isSlowTier ? Math.round(1 / part) : fast;
}

/** All of the list in the slow tier, its first `fast` elsewhere. */
export function someOf<T>(list: readonly T[], fast: number): readonly T[] {
  return isSlowTier ? list : list.slice(0, fast);
}
