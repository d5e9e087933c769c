/**
 * Pollers: sensors that take their time, such as other programs, read beside the sampling and not in it.
 *
 * Each is asked at its own interval, never twice at once, and only so many of them at a time. What it said last goes into the
 * samples until it is too old, or until it fails: then its values are absent, it is named in the journal once, and asked again
 * at its interval, later each time up to an hour. What one does costs another nothing but its turn.
 */

import { Slots } from '../async/semaphore.ts';
import { together } from '../async/tasks.ts';
import { tell } from '../events/catalogue.ts';
import type { Value, Values } from '../model/reading.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';

export interface Polled {
  readonly name: string;
  readonly everyMs: number;
  /** How long `read` takes at most. */
  readonly patienceMs: number;
  /** Never rejects. */
  read(signal: AbortSignal): Promise<PolledValues>;
}

/** Problems are sentences without a subject: "is not installed". One beside values tells what was left out of them. */
export type PolledValues =
  | { readonly ok: true; readonly values: Values; readonly problem?: string | undefined }
  | { readonly ok: false; readonly problem: string };

export interface PollersPorts {
  readonly clock: Clock;
  readonly log: Logger;
}

const AT_ONCE_MAX = 4;
const BACKOFF_MS_MAX = 3_600_000;

export class Pollers {
  readonly #ports: PollersPorts;
  readonly #pollers: readonly Poller[];
  readonly #slots = new Slots(AT_ONCE_MAX);

  constructor(polled: readonly Polled[], ports: PollersPorts) {
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
  once(signal: AbortSignal): Promise<void> {
    const tasks = this.#pollers.map((poller) => async (stop: AbortSignal) => {
      await this.#slots.use(() => poller.poll(stop), stop);
    });
    return together(tasks, signal);
  }

  /** Asks them all, each in its time, until the signal aborts. Can be called again then, and goes on where it was. */
  keep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const tasks = this.#pollers.map((poller) => async (stop: AbortSignal) => {
      while (!stop.aborted) {
        await clock.sleep(poller.dueInMs, stop);
        await this.#slots.use(() => poller.poll(stop), stop);
      }
    });
    return together(tasks, signal);
  }
}

class Poller {
  readonly #polled: Polled;
  readonly #ports: PollersPorts;
  #last: Values = {};
  #atMs = Number.NEGATIVE_INFINITY;
  #dueAtMs: number;
  #failures = 0;
  /** What was told of it last; a sensor that talks nonsense does so in every round. */
  #told: string | undefined;

  constructor(polled: Polled, ports: PollersPorts) {
    this.#polled = polled;
    this.#ports = ports;
    this.#dueAtMs = ports.clock.monotonicMs();
  }

  get dueInMs(): number {
    return Math.max(0, this.#dueAtMs - this.#ports.clock.monotonicMs());
  }

  latest(): Values {
    const { everyMs, patienceMs } = this.#polled;
    const isOld = this.#ports.clock.monotonicMs() - this.#atMs > 2 * everyMs + patienceMs;
    return isOld ? {} : this.#last;
  }

  async poll(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const startedMs = clock.monotonicMs();
    const said = await this.#polled.read(signal);
    // It was stopped, and says nothing about the sensor: it is due as it was.
    if (signal.aborted) return;
    this.#atMs = clock.monotonicMs();
    if (said.ok) this.#accept(said);
    else this.#fail(said.problem);
    this.#dueAtMs = startedMs + this.#waitMs();
  }

  #waitMs(): number {
    const { everyMs } = this.#polled;
    const doubled = everyMs * 2 ** Math.max(0, this.#failures - 1);
    return Math.max(everyMs, Math.min(doubled, BACKOFF_MS_MAX));
  }

  #accept({ values, problem }: PolledValues & { readonly ok: true }): void {
    const { log } = this.#ports;
    const sensor = this.#polled.name;
    if (this.#failures > 0) {
      tell(log, 'FL-OWN-SENSOR-BACK', { sensor, failures: this.#failures });
    }
    if (problem !== undefined && this.#told !== problem) {
      tell(log, 'FL-OWN-SENSOR-ODD', { sensor, reason: problem });
    }
    this.#failures = 0;
    this.#told = problem;
    this.#last = values;
  }

  #fail(problem: string): void {
    this.#failures += 1;
    this.#last = {};
    if (this.#failures > 1) return;
    tell(this.#ports.log, 'FL-OWN-SENSOR-FAILED', { sensor: this.#polled.name, reason: problem });
    this.#told = undefined;
  }
}
