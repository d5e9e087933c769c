/**
 * A process that can be killed at any of its acts: an operation on the disk that begins or ends, a response
 * from the network, a sleep that ends. The pending calls of a dead process never resolve.
 */

import type { Clock } from '../../../../src/core/ports/clock.ts';
import { override } from '../../override.ts';
import type { Ending } from '../plan/week-plan.ts';
import type { HostTime } from './host-time.ts';

/** Readings of the clock at one instant; more of them show an endless loop. */
const CHECKS_MAX = 20_000;

/** The delay of a timer, ms. */
const TIMER_LATE_MS = 0.01;

/** `network`: of delivery. */
export type ActKind = 'disk' | 'network' | 'downlink' | 'sleep';

export class KillableProcess {
  isAlive = true;
  #end:
    | { readonly of: ActKind; left: number; readonly before: boolean; readonly run: () => void }
    | undefined;
  #checkedAtMs = -1;
  #checks = 0;

  endAtAct({ of, count, before }: NonNullable<Ending['act']>, run: () => void): void {
    this.#end = { of, left: count, before, run };
  }

  cancelEnd(): void {
    this.#end = undefined;
  }

  act(kind: ActKind, effect: () => void): void {
    if (!this.isAlive) return;
    const end = this.#end;
    if (end?.of !== kind) return effect();
    end.left -= 1;
    if (end.left > 0) return effect();
    this.#end = undefined;
    if (!end.before) effect();
    end.run();
  }

  clock(host: HostTime, nowMs: () => number): Clock {
    const clock = host.clock(() => this.#check(nowMs()));
    return override<Clock>(clock, {
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          // Late like a real timer: a fraction of a millisecond would vanish in a sum of large numbers.
          void clock.sleep(ms > 0 ? ms + TIMER_LATE_MS : ms, signal).then(() => this.act('sleep', resolve));
        }),
    });
  }

  #check(nowMs: number): void {
    if (nowMs !== this.#checkedAtMs) this.#checks = 0;
    this.#checkedAtMs = nowMs;
    this.#checks += 1;
    if (this.#checks > CHECKS_MAX) throw new Error('the agent loops without sleeping');
  }
}
