/**
 * Runs all checks at once, each with a time-out, and reports the results in the order of the checks. A check that throws is
 * skipped with its reason and does not stop the others.
 */

import { ChildAbortController } from '../core/async/abort.ts';
import {
  type Check,
  type CheckClock,
  type CheckResult,
  type CompletedCheck,
  describeError,
  skip,
} from './check.ts';

/** Time-out of one check, and so of all, ms. */
const CHECK_TIMEOUT_MS = 15_000;

export async function runChecks(
  checks: readonly Check[],
  clock: CheckClock,
  onCompleted: (completed: CompletedCheck) => void,
  signal: AbortSignal,
): Promise<readonly CompletedCheck[]> {
  const running = checks.map((check) => runCheck(check, clock, signal));
  const completedChecks: CompletedCheck[] = [];
  for (const each of running) {
    const completed = await each;
    completedChecks.push(completed);
    onCompleted(completed);
  }
  return completedChecks;
}

const TIMED_OUT = skip(`timed out after ${CHECK_TIMEOUT_MS / 1000} s`);
const ABORTED = skip('cancelled');

async function runCheck(check: Check, clock: CheckClock, signal: AbortSignal): Promise<CompletedCheck> {
  const startedMs = clock.monotonicMs();
  using checkAbort = new ChildAbortController(signal);
  const timedOut = clock
    .sleep(CHECK_TIMEOUT_MS, checkAbort.signal)
    .then((): CheckResult => (signal.aborted ? ABORTED : (check.timeoutResult ?? TIMED_OUT)));
  const running = check
    .run(checkAbort.signal)
    .catch((error: unknown): CheckResult => skip(`the check failed to run: ${describeError(error)}`));
  const result = await Promise.race([running, timedOut]);
  checkAbort.abort();
  return { name: check.name, result, tookMs: Math.round(clock.monotonicMs() - startedMs) };
}
