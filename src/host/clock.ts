/**
 * The host's clock: the real adapter of the `Clock` port, and the only file that starts a timer.
 *
 * A sleep never ends early by the monotonic clock, ends at once on abort, never rejects, and leaves neither a
 * timer nor a listener behind. One timer can hold at most 2^31 - 1 ms (24.8 days; a longer one would fire at
 * once), so a long sleep is several timers in a row.
 */

import type { Clock } from '../core/ports.ts';
import { BootTime } from './boot-time.ts';

/** The longest delay that setTimeout honours. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export function hostClock(): Clock {
  const wallMs = (): number => Date.now();
  const boot = new BootTime({ root: '/', wallMs });
  const bootMs = (): number => boot.bootMs();
  return { wallMs, monotonicMs: () => performance.now(), bootId: boot.bootId, bootMs, sleep };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || !(ms > 0)) {
      resolve();
      return;
    }
    const dueMs = performance.now() + ms;
    let timer: NodeJS.Timeout;
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const wait = (): void => {
      const leftMs = dueMs - performance.now();
      if (leftMs <= 0) end();
      else timer = setTimeout(wait, Math.min(Math.ceil(leftMs), TIMER_MS_MAX));
    };
    signal.addEventListener('abort', end);
    wait();
  });
}
