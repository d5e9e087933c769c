/**
 * The adapter of the `Clock` port, and the only file that starts timers, so that it can measure their delay.
 *
 * A sleep never ends early by the monotonic clock, ends at once on abort, never rejects, and leaves no timer
 * or listener behind. A sleep longer than one timer (24.8 days) uses several in a row, because a longer timer
 * would fire at once.
 */

import type { Clock, StopSignal } from '../../core/ports/clock.ts';
import { BootTime } from './boot-time.ts';

/** The longest delay that setTimeout honours. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface HostClock extends Clock {
  /**
   * The largest delay of a sleep that elapsed since the previous call, ms; undefined if none did. About 1 ms
   * on an idle host, because timers have whole milliseconds. A suspend does not count.
   */
  drainTimerLagMs(): number | undefined;
}

export function hostClock(): HostClock {
  const wallMs = (): number => Date.now();
  const boot = new BootTime({ root: '/', wallMs });
  const bootMs = (): number => boot.bootMs();
  let maxLagMs: number | undefined;
  const recordLag = (lagMs: number): void => {
    maxLagMs = Math.max(maxLagMs ?? 0, lagMs);
  };
  const drainTimerLagMs = (): number | undefined => {
    const drainedMs = maxLagMs;
    maxLagMs = undefined;
    return drainedMs;
  };
  const sleep: Clock['sleep'] = (ms, signal) => sleepUntilDue(ms, signal, recordLag);
  return { wallMs, monotonicMs, bootId: boot.bootId, bootMs, sleep, drainTimerLagMs };
}

/** Like performance.now(), whose module costs 0.5 MiB. */
function monotonicMs(): number {
  return process.uptime() * 1000;
}

function sleepUntilDue(ms: number, signal: StopSignal, onElapsed: (lagMs: number) => void): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || !(ms > 0)) {
      resolve();
      return;
    }
    const dueMs = monotonicMs() + ms;
    let timer: NodeJS.Timeout;
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const wait = (): void => {
      const leftMs = dueMs - monotonicMs();
      if (leftMs <= 0) {
        onElapsed(-leftMs);
        end();
      } else timer = setTimeout(wait, Math.min(Math.ceil(leftMs), TIMER_MS_MAX));
    };
    signal.addEventListener('abort', end);
    wait();
  });
}
