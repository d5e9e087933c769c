/**
 * A check of the doctor: one thing on the way from this host to the server, looked at once, changing nothing.
 *
 * A tick is in order; a dash could not be looked at, or does not apply, and says why; a cross says what was seen, what that means and
 * what to do. No word of a finding is a secret.
 */

import { errorCode, errorMessage } from '../core/model/error-code.ts';
import type { Clock } from '../core/ports/clock.ts';

export type Finding =
  | { readonly mark: 'tick' | 'dash'; readonly seen: string }
  | { readonly mark: 'cross'; readonly seen: string; readonly means: string; readonly todo: string };

export interface Check {
  readonly name: string;
  /** May reject or hang: examine.ts bounds it. */
  look(signal: AbortSignal): Promise<Finding>;
  /** What it means that it took too long; absent: nothing. */
  readonly late?: Finding;
}

export interface Checked {
  readonly name: string;
  readonly finding: Finding;
  readonly tookMs: number;
}

export const tick = (seen: string): Finding => ({ mark: 'tick', seen });
export const dash = (seen: string): Finding => ({ mark: 'dash', seen });
export const cross = (seen: string, means: string, todo: string): Finding => ({
  mark: 'cross',
  seen,
  means,
  todo,
});

/** What a finding may need of time. */
export type Timer = Pick<Clock, 'monotonicMs' | 'sleep'>;

/** An error in a few words: its code, or its message. */
export function wordsOf(error: unknown): string {
  return errorCode(error) ?? errorMessage(error);
}
