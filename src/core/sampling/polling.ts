/**
 * Pollers: sensors that take their time, such as other programs, read beside the sampling and not in it.
 *
 * Each is asked at its own interval, never twice at once, and only so many of them at a time. What it said last goes into the
 * samples until it is too old, or until it fails: then its values are absent, it is named in the journal once, and asked again
 * at its interval, later each time up to an hour. What one does costs another nothing but its turn.
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
  /** How long `read` takes at most. */
  readonly timeoutMs: number;
  /** Never rejects. */
  read(signal: AbortSignal): Promise<PollResult>;
}

/** Problems are sentences without a subject: "is not installed". One beside values tells what was left out of them. */
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

  /** What each said last and is not too old; where two have one key, the first of them. */
  latest(): Values {
    const values: Record<string, Value> = {};
    for (const poller of this.#pollers) {
      for (const [key, value] of Object.entries(poller.latest())) {
        if (!Object.hasOwn(values, key)) values[key] = value;
      }
    }
    return values;
  }

  /** Asks each once, now; resolves when all have answered, or when the signal aborts. */
  pollOnce(signal: AbortSignal): Promise<void> {
    const tasks = this.#pollers.map((poller) => async (stop: AbortSignal) => {
      await this.#semaphore.run(() => poller.poll(stop), stop);
    });
    return runAll(tasks, signal);
  }

  /** Asks them all, each in its time, until the signal aborts. Can be called again then, and goes on where it was. */
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
  /** What was told of it last; a sensor that talks nonsense does so in every round. */
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
    // It was stopped, and says nothing about the sensor: it is due as it was.
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
