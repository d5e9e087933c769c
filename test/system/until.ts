/** Waits for a condition without guessing how long it takes. */

import { setTimeout as sleep } from 'node:timers/promises';

const POLL_EVERY_MS = 50;

/** Whether the condition became true in time. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() > deadlineMs) return false;
    await sleep(POLL_EVERY_MS);
  }
}
