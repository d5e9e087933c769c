/**
 * How long the core takes to answer (contract, sections 10 and 13): uniform between the two latency knobs, from a seed.
 *
 * The request is processed when it arrives and only its answer is late, as on the real server, where a lost answer does
 * not mean a lost effect. Beyond the core's time-out the transport gives up and the late answer goes nowhere.
 */

import type { SandboxClock } from './clock.ts';
import type { Knobs } from './model/types.ts';
import { createRandom, type RandomSource } from './random.ts';

export class Latency {
  readonly #knobs: Knobs;
  readonly #clock: SandboxClock;
  readonly #coreTimeoutMs: number;
  readonly #closing = new AbortController();
  #random: RandomSource;

  constructor(knobs: Knobs, clock: SandboxClock, coreTimeoutMs: number) {
    this.#knobs = knobs;
    this.#clock = clock;
    this.#coreTimeoutMs = coreTimeoutMs;
    this.#random = createRandom(knobs.seed);
  }

  /** `answer` after the latency, or `tooLate` when the core would have been slower than the transport's patience. */
  async delay<T>(answer: T, timeoutAnswer: T): Promise<T> {
    const { coreLatencyMinMs, coreLatencyMaxMs } = this.#knobs;
    const latencyMs = coreLatencyMinMs + this.#random() * (coreLatencyMaxMs - coreLatencyMinMs);
    if (latencyMs > this.#coreTimeoutMs) return this.timeOut(timeoutAnswer);
    await this.#clock.sleep(latencyMs, this.#closing.signal);
    return answer;
  }

  /** What a core that never answers looks like. */
  async timeOut<T>(timeoutAnswer: T): Promise<T> {
    await this.#clock.sleep(this.#coreTimeoutMs, this.#closing.signal);
    return timeoutAnswer;
  }

  reseed(): void {
    this.#random = createRandom(this.#knobs.seed);
  }

  /** Ends every wait at once. */
  close(): void {
    this.#closing.abort();
  }
}
