/**
 * A check of the doctor: one thing on the way from this host to the server, looked at once, changing nothing.
 *
 * A tick is in order; a dash could not be looked at, or does not apply, and says why; a cross says what was seen, what that means and
 * what to do. No word of a finding is a secret.
 */

import { errorCode, errorMessage } from '../core/model/error-code.ts';
import type { Clock } from '../core/ports/clock.ts';

export type CheckResult =
  | { readonly status: 'pass' | 'skip'; readonly observed: string }
  | { readonly status: 'fail'; readonly observed: string; readonly meaning: string; readonly action: string };

export interface Check {
  readonly name: string;
  /** May reject or hang: examine.ts bounds it. */
  run(signal: AbortSignal): Promise<CheckResult>;
  /** What it means that it took too long; absent: nothing. */
  readonly timeoutResult?: CheckResult;
}

export interface CompletedCheck {
  readonly name: string;
  readonly result: CheckResult;
  readonly tookMs: number;
}

export const pass = (observed: string): CheckResult => ({ status: 'pass', observed });
export const skip = (observed: string): CheckResult => ({ status: 'skip', observed });
export const fail = (observed: string, meaning: string, action: string): CheckResult => ({
  status: 'fail',
  observed,
  meaning,
  action,
});

/** What a finding may need of time. */
export type CheckClock = Pick<Clock, 'monotonicMs' | 'sleep'>;

/** An error in a few words: its code, or its message. */
export function describeError(error: unknown): string {
  return errorCode(error) ?? errorMessage(error);
}
