/**
 * The host's clock: the real adapter of the `Clock` port, and the only file that starts a timer, so that it knows how late they are.
 *
 * A sleep never ends early by the monotonic clock, ends at once on abort, never rejects, and leaves neither a
 * timer nor a listener behind. One timer can hold at most 2^31 - 1 ms (24.8 days; a longer one would fire at
 * once), so a long sleep is several timers in a row.
 */

import type { Clock } from '../../core/ports/clock.ts';
import { BootTime } from './boot-time.ts';

/** The longest delay that setTimeout honours. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export interface HostClock extends Clock {
  /**
   * How late the latest sleep ended, ms, of those that ran out since this was asked last; undefined when none did. A timer has
   * whole milliseconds, so that a host with nothing else to do answers with about one. A suspend is no lateness.
   */
  takeLatenessMs(): number | undefined;
}

export function hostClock(): HostClock {
  const wallMs = (): number => Date.now();
  const boot = new BootTime({ root: '/', wallMs });
  const bootMs = (): number => boot.bootMs();
  let latenessMs: number | undefined;
  const ranOut = (lateMs: number): void => {
    latenessMs = Math.max(latenessMs ?? 0, lateMs);
  };
  const takeLatenessMs = (): number | undefined => {
    const takenMs = latenessMs;
    latenessMs = undefined;
    return takenMs;
  };
  const sleep: Clock['sleep'] = (ms, signal) => sleepUntilDue(ms, signal, ranOut);
  return { wallMs, monotonicMs, bootId: boot.bootId, bootMs, sleep, takeLatenessMs };
}

/** As performance.now(), whose module costs 0.5 MiB. */
function monotonicMs(): number {
  return process.uptime() * 1000;
}

function sleepUntilDue(ms: number, signal: AbortSignal, ranOut: (lateMs: number) => void): Promise<void> {
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
        ranOut(-leftMs);
        end();
      } else timer = setTimeout(wait, Math.min(Math.ceil(leftMs), TIMER_MS_MAX));
    };
    signal.addEventListener('abort', end);
    wait();
  });
}
