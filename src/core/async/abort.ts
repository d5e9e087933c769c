/** Waits for something that may hang, but no longer than until the signal aborts; leaves no listener behind. */

/** What comes of `work`, or `otherwise` as soon as the signal aborts. */
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

export class ChildAbortController implements Disposable {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal;
  readonly #follow = () => this.#controller.abort(this.#parent.reason === DEADLINE ? DEADLINE : undefined);

  constructor(parent: AbortSignal) {
    this.#parent = parent;
    if (parent.aborted) this.#follow();
    else parent.addEventListener('abort', this.#follow);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason?: typeof DEADLINE): void {
    this.#controller.abort(reason);
  }

  /** Stops following the other signal. */
  [Symbol.dispose](): void {
    this.#parent.removeEventListener('abort', this.#follow);
  }
}
