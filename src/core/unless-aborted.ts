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
