/**
 * The examination: all checks at once, each within its deadline, told in their order as soon as they are known.
 *
 * Bound: as long as the slowest check, at most LOOK_MS_MAX. A check that fails by itself is a dash with its reason, and stops
 * none of the others.
 */

import { LinkedAbort } from '../core/async/abort.ts';
import { type Check, type Checked, dash, type Finding, type Timer, wordsOf } from './check.ts';

/** One check, ms. */
const LOOK_MS_MAX = 15_000;

export async function examine(
  checks: readonly Check[],
  clock: Timer,
  tell: (checked: Checked) => void,
  signal: AbortSignal,
): Promise<readonly Checked[]> {
  const looking = checks.map((check) => looked(check, clock, signal));
  const all: Checked[] = [];
  for (const each of looking) {
    const checked = await each;
    all.push(checked);
    tell(checked);
  }
  return all;
}

const LATE = dash(`gave up after ${LOOK_MS_MAX / 1000} s`);
const STOPPED = dash('stopped before it was known');

async function looked(check: Check, clock: Timer, signal: AbortSignal): Promise<Checked> {
  const startedMs = clock.monotonicMs();
  using over = new LinkedAbort(signal);
  const late = clock
    .sleep(LOOK_MS_MAX, over.signal)
    .then((): Finding => (signal.aborted ? STOPPED : (check.late ?? LATE)));
  const looking = check
    .look(over.signal)
    .catch((error: unknown): Finding => dash(`could not be looked at: ${wordsOf(error)}`));
  const finding = await Promise.race([looking, late]);
  over.abort();
  return { name: check.name, finding, tookMs: Math.round(clock.monotonicMs() - startedMs) };
}
