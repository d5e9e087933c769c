/**
 * Tasks that live and end together: the first that fails ends the others, and what it failed with is what the caller gets.
 *
 * Both resolve when all have ended; each task gets a signal that aborts with the caller's, or when another task failed.
 */

import { ChildAbortController } from './abort.ts';

export type Task = (signal: AbortSignal) => Promise<void>;

export async function runAll(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  using controller = new ChildAbortController(signal);
  const running = tasks.map((task) =>
    task(controller.signal).catch((error: unknown) => {
      controller.abort();
      throw error;
    }),
  );
  const results = await Promise.allSettled(running);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** The same, and the first that ends in whatever way ends the others. */
export async function runUntilFirst(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  using controller = new ChildAbortController(signal);
  const endingAll = (task: Task): Task => {
    return async (stop) => {
      try {
        await task(stop);
      } finally {
        controller.abort();
      }
    };
  };
  await runAll(tasks.map(endingAll), controller.signal);
}
