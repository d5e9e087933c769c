/**
 * How long the core takes to answer (contract, sections 10 and 13): uniform between the two latency knobs, from a seed.
 *
 * The request is processed when it arrives and only its answer is late, as on the real server, where a lost answer does
 * not mean a lost effect. Beyond the core's time-out the transport gives up and the late answer goes nowhere.
 */

import type { SandboxClock } from './clock.ts';
import type { Knobs } from './model/types.ts';
import { createDice, type Dice } from './random.ts';

export class Latency {
  readonly #knobs: Knobs;
  readonly #clock: SandboxClock;
  readonly #coreTimeoutMs: number;
  readonly #closing = new AbortController();
  #dice: Dice;

  constructor(knobs: Knobs, clock: SandboxClock, coreTimeoutMs: number) {
    this.#knobs = knobs;
    this.#clock = clock;
    this.#coreTimeoutMs = coreTimeoutMs;
    this.#dice = createDice(knobs.seed);
  }

  /** `answer` after the latency, or `tooLate` when the core would have been slower than the transport's patience. */
  async delay<T>(answer: T, tooLate: T): Promise<T> {
    const { coreLatencyMinMs, coreLatencyMaxMs } = this.#knobs;
    const latencyMs = coreLatencyMinMs + this.#dice() * (coreLatencyMaxMs - coreLatencyMinMs);
    if (latencyMs > this.#coreTimeoutMs) return this.timeOut(tooLate);
    await this.#clock.sleep(latencyMs, this.#closing.signal);
    return answer;
  }

  /** What a core that never answers looks like. */
  async timeOut<T>(tooLate: T): Promise<T> {
    await this.#clock.sleep(this.#coreTimeoutMs, this.#closing.signal);
    return tooLate;
  }

  reseed(): void {
    this.#dice = createDice(this.#knobs.seed);
  }

  /** Ends every wait at once. */
  close(): void {
    this.#closing.abort();
  }
}
