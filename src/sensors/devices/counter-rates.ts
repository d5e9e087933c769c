/**
 * Rates: how fast the counters of one device move, per second of monotonic time.
 *
 * Counters of the kernel only grow, and four things may happen between two looks that must cost a rate or be counted right, but
 * never make one up:
 *
 *   wrap         one counter ran over its 32 or 64 bits while others of the device went on   the rate, counted across it
 *   reset        the driver was reloaded, the container restored: all of them begin again    no rates, this once
 *   re-creation  another device has got the name: its identity is another                    no rates, this once
 *   suspend      nothing counts, and monotonic time stands still                             as if it had not been
 *
 * One counter that went back could be either of the first two. It is a wrap only if it was in the upper half of its bits, could
 * have moved that far in that time, and if another one, which had counted enough to be noticed, did not go back as well. In
 * doubt there is no rate: one that is missing is seen, one that is wrong is believed. A counter that wraps twice between two
 * looks (32 bits at 1 Gbit/s: 34 s) cannot be told from one that did not; only 32-bit kernels have such. One of 64 bits
 * takes 58 years at 10 GB/s, unless its driver lets it begin below zero; up there its steps are told to 2,048 (parse.ts).
 */

import { COUNTER_MODULUS } from '../files/parse.ts';

/** Counts of one look, by name. */
export type Counts<Name extends string> = Readonly<Record<Name, number>>;

interface CounterSample<Name extends string> {
  readonly counts: Counts<Name>;
  readonly atMs: number;
  readonly identity: string;
}

/** Where counters begin again: of 32 bits, and of 64. */
const COUNTER_MODULI = [2 ** 32, COUNTER_MODULUS];
/** A counter that had counted less may have got there again after a reset, and says nothing about one. */
const DETECTOR_COUNT_MIN = 1000;

export class CounterRates<Name extends string> {
  readonly #counters: readonly (readonly [name: Name, perSMax: number])[];
  #previous: CounterSample<Name> | undefined;

  /** For each counter, what it cannot move faster than, per second: a step back that would take more is no wrap. */
  constructor(perSMax: Counts<Name>) {
    this.#counters = Object.entries<number>(perSMax) as [Name, number][];
  }

  /**
   * What each counter has moved by per second since the look before, never below 0; undefined when that cannot be said: at the
   * first look, after a reset or a re-creation, and when no time has passed. `identity` tells two devices of one name apart.
   */
  next(counts: Counts<Name>, atMs: number, identity = ''): Counts<Name> | undefined {
    const previous = this.#previous;
    const isSame = previous?.identity === identity;
    // Without time between them the look before stays the one to compare with.
    if (isSame && previous.atMs === atMs) return undefined;
    this.#previous = { counts, atMs, identity };
    if (!isSame || atMs < previous.atMs) return undefined;
    return this.#ratesBetween(previous.counts, counts, (atMs - previous.atMs) / 1000);
  }

  #ratesBetween(previous: Counts<Name>, current: Counts<Name>, seconds: number): Counts<Name> | undefined {
    const rates: Record<string, number> = {};
    for (const [name, perSMax] of this.#counters) {
      const step = current[name] - previous[name];
      const distance = step >= 0 ? step : this.#wrapDistance(perSMax, previous[name], current[name], seconds);
      // Whatever discredits one of them discredits all: a reset is the device's.
      if (distance === undefined || (step < 0 && !this.#hasUnresetCounter(previous, current)))
        return undefined;
      rates[name] = distance / seconds;
    }
    return rates as Counts<Name>;
  }

  /** A counter that has shown more than 32 bits has 64; one in the lower half of its bits was reset. */
  #wrapDistance(perSMax: number, previous: number, current: number, seconds: number): number | undefined {
    const modulus = COUNTER_MODULI.find((each) => previous < each) ?? COUNTER_MODULUS;
    const distance = modulus - previous + current;
    return previous >= modulus / 2 && distance <= perSMax * seconds ? distance : undefined;
  }

  /** Whether a counter of the device is there to show that it was not reset. */
  #hasUnresetCounter(previous: Counts<Name>, current: Counts<Name>): boolean {
    return this.#counters.some(
      ([name]) => previous[name] >= DETECTOR_COUNT_MIN && current[name] >= previous[name],
    );
  }
}
