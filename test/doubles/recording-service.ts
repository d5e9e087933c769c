/** A `ServiceManager` that records its notifications and their times. */

import type { Clock } from '../../src/core/ports/clock.ts';
import type { ServiceManager } from '../../src/core/ports/service-manager.ts';

export class RecordingService implements ServiceManager {
  readonly watchdogMs: number | undefined;
  /** Monotonic times of the watchdog notifications. */
  readonly aliveMs: number[] = [];
  readonly statuses: string[] = [];
  /** ready, reloading, stopping. */
  readonly notifications: string[] = [];
  readonly #clock: Pick<Clock, 'monotonicMs'>;

  constructor(clock: Pick<Clock, 'monotonicMs'>, watchdogMs?: number) {
    this.#clock = clock;
    this.watchdogMs = watchdogMs;
  }

  /** The longest time without a watchdog notification from `fromMs` until now, ms. */
  longestSilenceMs(fromMs = 0): number {
    const times = [fromMs, ...this.aliveMs.filter((ms) => ms >= fromMs), this.#clock.monotonicMs()];
    return Math.max(...times.map((ms, index) => ms - (times[index - 1] ?? ms)));
  }

  ready(): void {
    this.notifications.push('ready');
  }

  status(text: string): void {
    if (text !== this.statuses.at(-1)) this.statuses.push(text);
  }

  alive(): void {
    this.aliveMs.push(this.#clock.monotonicMs());
  }

  reloading(): void {
    this.notifications.push('reloading');
  }

  stopping(): void {
    this.notifications.push('stopping');
  }
}
