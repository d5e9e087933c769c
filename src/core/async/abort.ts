/**
 * Waits that end with an abort signal or a deadline, and abort controllers that follow a signal, without leaked listeners.
 */

import type { Clock, StopSignal } from '../ports/clock.ts';

/** The result of `work`, or `fallback` as soon as the signal aborts. */
export async function raceAbort<T>(work: Promise<T>, fallback: T, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return fallback;
  let onAbort: () => void = () => {};
  const aborted = new Promise<T>((resolve) => {
    onAbort = () => resolve(fallback);
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Whether `work` settles within `ms`. Rejects like `work`. */
export async function isSettledWithin(
  ms: number,
  work: Promise<void>,
  clock: Pick<Clock, 'sleep'>,
): Promise<boolean> {
  const timeout = new AbortController();
  const timedOut = clock.sleep(ms, timeout.signal).then(() => false);
  try {
    return await Promise.race([work.then(() => true), timedOut]);
  } finally {
    timeout.abort();
  }
}

/** The reason of an abort that means "deadline exceeded" and not "stop". */
export const DEADLINE = 'deadline';

/** The reason of any other frequent abort: without one, each abort makes a DOMException with a stack. */
export const STOP = 'stop';

/** Ends one wait early, for waits that repeat: an AbortController allocates seven times as much. */
export class WaitEnd implements StopSignal {
  #aborted = false;
  #listener: (() => void) | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  /** Replaces an earlier listener: only one wait has this signal. */
  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listener = listener;
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined;
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#listener?.();
  }
}

/**
 * An abort controller that also aborts with its parent signal, until it is disposed of. Passes on the reason
 * `DEADLINE`.
 *
 * Used instead of `AbortSignal.any`, which on Node 20 leaves a weak reference in the long-lived signal for
 * every call and loses an `AbortSignal.timeout` among its sources at a garbage collection (measured, 20.20: a
 * 12 s timer never fired).
 */
export class ChildAbortController implements Disposable {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal;
  readonly #follow = () => this.#controller.abort(this.#parent.reason === DEADLINE ? DEADLINE : STOP);

  constructor(parent: AbortSignal) {
    this.#parent = parent;
    if (parent.aborted) this.#follow();
    else parent.addEventListener('abort', this.#follow);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: typeof DEADLINE | typeof STOP = STOP): void {
    this.#controller.abort(reason);
  }

  /** Stops following the parent signal. */
  [Symbol.dispose](): void {
    this.#parent.removeEventListener('abort', this.#follow);
  }
}
