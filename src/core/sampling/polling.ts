/**
 * Polls slow sensors, such as programs, beside the sampling: each at its own interval, never twice at once,
 * and at most four at a time. Samples contain the last values until they are too old or the sensor fails. A
 * failed sensor is logged once and polled with increasing intervals, up to an hour. Sensors do not affect
 * each other.
 */

import { Semaphore } from '../async/semaphore.ts';
import { runAll } from '../async/tasks.ts';
import { logEvent } from '../events/catalogue.ts';
import type { Value, Values } from '../model/reading.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';

export interface PolledSensor {
  readonly name: string;
  readonly everyMs: number;
  /** Maximum duration of `read`, ms. */
  readonly timeoutMs: number;
  /** Never rejects. */
  read(signal: AbortSignal): Promise<PollResult>;
}

/**
 * A problem is a predicate without a subject: "is not installed". Beside values, it describes the omitted
 * ones.
 */
export type PollResult =
  | { readonly ok: true; readonly values: Values; readonly problem?: string | undefined }
  | { readonly ok: false; readonly problem: string };

export interface PollersPorts {
  readonly clock: Clock;
  readonly log: Logger;
}

const CONCURRENT_MAX = 4;
const BACKOFF_MS_MAX = 3_600_000;

export class Pollers {
  readonly #ports: PollersPorts;
  readonly #pollers: readonly Poller[];
  readonly #semaphore = new Semaphore(CONCURRENT_MAX);

  constructor(polled: readonly PolledSensor[], ports: PollersPorts) {
    this.#ports = ports;
    this.#pollers = polled.map((each) => new Poller(each, ports));
  }

  /** The last values of all sensors that are not too old; if two sensors have one key, the first counts. */
  latest(): Values {
    const values: Record<string, Value> = {};
    for (const poller of this.#pollers) {
      for (const [key, value] of Object.entries(poller.latest())) {
        if (!Object.hasOwn(values, key)) values[key] = value;
      }
    }
    return values;
  }

  /** Polls each sensor once; resolves when all are read or the signal aborts. */
  pollOnce(signal: AbortSignal): Promise<void> {
    const tasks = this.#pollers.map((poller) => async (stop: AbortSignal) => {
      await this.#semaphore.run(() => poller.poll(stop), stop);
    });
    return runAll(tasks, signal);
  }

  /** Polls all sensors at their intervals until the signal aborts. A later call continues the schedule. */
  run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const tasks = this.#pollers.map((poller) => async (stop: AbortSignal) => {
      while (!stop.aborted) {
        await clock.sleep(poller.dueInMs, stop);
        await this.#semaphore.run(() => poller.poll(stop), stop);
      }
    });
    return runAll(tasks, signal);
  }
}

class Poller {
  readonly #polled: PolledSensor;
  readonly #ports: PollersPorts;
  #values: Values = {};
  #readAtMs = Number.NEGATIVE_INFINITY;
  #dueAtMs: number;
  #failures = 0;
  /** The last logged problem; an invalid value usually repeats in every poll. */
  #loggedProblem: string | undefined;

  constructor(polled: PolledSensor, ports: PollersPorts) {
    this.#polled = polled;
    this.#ports = ports;
    this.#dueAtMs = ports.clock.monotonicMs();
  }

  get dueInMs(): number {
    return Math.max(0, this.#dueAtMs - this.#ports.clock.monotonicMs());
  }

  latest(): Values {
    const { everyMs, timeoutMs } = this.#polled;
    const isOld = this.#ports.clock.monotonicMs() - this.#readAtMs > 2 * everyMs + timeoutMs;
    return isOld ? {} : this.#values;
  }

  async poll(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const startedMs = clock.monotonicMs();
    const result = await this.#polled.read(signal);
    // An aborted read proves nothing about the sensor: it stays due.
    if (signal.aborted) return;
    this.#readAtMs = clock.monotonicMs();
    if (result.ok) this.#accept(result);
    else this.#fail(result.problem);
    this.#dueAtMs = startedMs + this.#waitMs();
  }

  #waitMs(): number {
    const { everyMs } = this.#polled;
    const doubled = everyMs * 2 ** Math.max(0, this.#failures - 1);
    return Math.max(everyMs, Math.min(doubled, BACKOFF_MS_MAX));
  }

  #accept({ values, problem }: PollResult & { readonly ok: true }): void {
    const { log } = this.#ports;
    const sensor = this.#polled.name;
    if (this.#failures > 0) {
      logEvent(log, 'FL-CUSTOM-SENSOR-RESTORED', { sensor, failures: this.#failures });
    }
    if (problem !== undefined && this.#loggedProblem !== problem) {
      logEvent(log, 'FL-CUSTOM-SENSOR-INVALID-VALUE', { sensor, reason: problem });
    }
    this.#failures = 0;
    this.#loggedProblem = problem;
    this.#values = values;
  }

  #fail(problem: string): void {
    this.#failures += 1;
    this.#values = {};
    if (this.#failures > 1) return;
    logEvent(this.#ports.log, 'FL-CUSTOM-SENSOR-FAILED', { sensor: this.#polled.name, reason: problem });
    this.#loggedProblem = undefined;
  }
}
