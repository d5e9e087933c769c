/** Waiting for something to become so, without guessing how long it takes. */

import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 50;

/** Whether it became so in time. */
export async function until(isSo: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    if (await isSo()) return true;
    if (performance.now() > deadlineMs) return false;
    await sleep(LOOK_EVERY_MS);
  }
}
