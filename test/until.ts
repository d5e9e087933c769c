/** Waits for something that another process or the network does, without a guess of how long that takes. */

import { setTimeout as sleep } from 'node:timers/promises';

const POLL_EVERY_MS = 10;
/** More than any of these waits takes on a busy machine, and less than the time limits of the tests. */
const WITHIN_MS = 55_000;

/** Polls, so that the other process has the CPU; rejects after 55 s with `what`. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: () => string = () => String(isTrue),
): Promise<void> {
  const deadlineMs = performance.now() + WITHIN_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${WITHIN_MS / 1000} s: ${what()}`);
    await sleep(POLL_EVERY_MS);
  }
}

/** Whether the condition becomes true in time. Polls every 50 ms, because some conditions start a process. */
export async function isTrueWithin(
  condition: () => boolean | Promise<boolean>,
  withinMs: number,
): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() > deadlineMs) return false;
    await sleep(50);
  }
}
