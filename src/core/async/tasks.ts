/**
 * Tasks that live and end together: the first that fails ends the others, and what it failed with is what the caller gets.
 *
 * Both resolve when all have ended; each task gets a signal that aborts with the caller's, or when another task failed.
 */

import { LinkedAbort } from './abort.ts';

export type Task = (signal: AbortSignal) => Promise<void>;

export async function together(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  using stop = new LinkedAbort(signal);
  const running = tasks.map((task) =>
    task(stop.signal).catch((error: unknown) => {
      stop.abort();
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(running);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** The same, and the first that ends in whatever way ends the others. */
export async function untilOneEnds(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  using over = new LinkedAbort(signal);
  const ending = (task: Task): Task => {
    return async (stop) => {
      try {
        await task(stop);
      } finally {
        over.abort();
      }
    };
  };
  await together(tasks.map(ending), over.signal);
}
