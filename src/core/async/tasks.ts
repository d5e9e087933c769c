/**
 * Runs tasks together: the first one that fails aborts the others, and the caller gets its error. Resolves
 * when all have ended. Each task gets a signal that aborts with the caller's signal or the failure.
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

/** Like `runAll`, but the first task that ends aborts the others. */
export async function runUntilFirst(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  using controller = new ChildAbortController(signal);
  const abortAllAfter = (task: Task): Task => {
    return async (stop) => {
      try {
        await task(stop);
      } finally {
        controller.abort();
      }
    };
  };
  await runAll(tasks.map(abortAllAfter), controller.signal);
}
