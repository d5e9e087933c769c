/** Waits for something that may hang, but no longer than until the signal aborts; leaves no listener behind. */

/** What comes of `work`, or `otherwise` as soon as the signal aborts. */
export async function unlessAborted<T>(work: Promise<T>, otherwise: T, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return otherwise;
  let stop: () => void = () => {};
  const aborted = new Promise<T>((resolve) => {
    stop = () => resolve(otherwise);
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * An abort of our own that also happens when another signal aborts, and can be let go again. That it was too late
 * (`DEADLINE`) is passed on; any other reason means "stop".
 *
 * Used instead of `AbortSignal.any`, which on Node 20 leaves a weak reference in the long-lived signal for
 * every call (an agent lives for years), and forgets an `AbortSignal.timeout` among its sources when the
 * garbage is collected (measured, 20.20: a timer of 12 s never fired).
 */
/** The reason of an abort that means "too late", and not "stop": whoever is asked then is silent. */
export const DEADLINE = 'deadline';

export class LinkedAbort implements Disposable {
  readonly #own = new AbortController();
  readonly #other: AbortSignal;
  readonly #follow = () => this.#own.abort(this.#other.reason === DEADLINE ? DEADLINE : undefined);

  constructor(other: AbortSignal) {
    this.#other = other;
    if (other.aborted) this.#follow();
    else other.addEventListener('abort', this.#follow);
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  abort(reason?: typeof DEADLINE): void {
    this.#own.abort(reason);
  }

  /** Stops following the other signal. */
  [Symbol.dispose](): void {
    this.#other.removeEventListener('abort', this.#follow);
  }
}
