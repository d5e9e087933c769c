/**
 * A check of the doctor: it observes one step between this host and the server once and changes nothing. `pass`: in order; `skip`:
 * not checked, with the reason; `fail`: observed problem, meaning and action. No text of a result contains a secret.
 */

import { errorCode, errorMessage } from '../core/model/error-code.ts';
import type { Clock } from '../core/ports/clock.ts';

export type CheckResult =
  | { readonly status: 'pass' | 'skip'; readonly observed: string }
  | { readonly status: 'fail'; readonly observed: string; readonly meaning: string; readonly action: string };

export interface Check {
  readonly name: string;
  /** May reject or hang: run-checks.ts limits it. */
  run(signal: AbortSignal): Promise<CheckResult>;
  /** The result after a time-out. Default: `skip`. */
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

export type CheckClock = Pick<Clock, 'monotonicMs' | 'sleep'>;

/** The code of an error, or its message. */
export function describeError(error: unknown): string {
  return errorCode(error) ?? errorMessage(error);
}
