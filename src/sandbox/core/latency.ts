/**
 * Delays the answers of the core (contract sections 10 and 13), uniformly between the two latency knobs, from
 * a seed. As on the real server, the request takes effect at once and only its answer is delayed; an answer
 * later than the core timeout is lost.
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

  /** `answer` after the latency, or `timeoutAnswer` after the core timeout if that is shorter. */
  async delay<T>(answer: T, timeoutAnswer: T): Promise<T> {
    const { coreLatencyMinMs, coreLatencyMaxMs } = this.#knobs;
    const latencyMs = coreLatencyMinMs + this.#random() * (coreLatencyMaxMs - coreLatencyMinMs);
    if (latencyMs > this.#coreTimeoutMs) return this.timeOut(timeoutAnswer);
    await this.#clock.sleep(latencyMs, this.#closing.signal);
    return answer;
  }

  /** A core that does not answer: `timeoutAnswer` after the core timeout. */
  async timeOut<T>(timeoutAnswer: T): Promise<T> {
    await this.#clock.sleep(this.#coreTimeoutMs, this.#closing.signal);
    return timeoutAnswer;
  }

  reseed(): void {
    this.#random = createRandom(this.#knobs.seed);
  }

  /** Ends all waits at once. */
  close(): void {
    this.#closing.abort();
  }
}
