/**
 * Turns the counters of one device into rates per second of monotonic time. It never invents a rate:
 *
 *   wrap         one counter overflowed, others of the device continued      the rate across the wrap
 *   reset        driver reloaded or container restored: all start again      no rates in this round
 *   re-creation  another device has the name: its identity differs           no rates in this round
 *   suspend      neither the counters nor monotonic time move                no effect
 *
 * A counter that went back is a wrap only if it was in the upper half of its range, could have moved that far
 * in the time, and another counter with enough counts did not go back. In doubt there is no rate: a missing
 * rate is noticed, a wrong one is believed.
 */

import { COUNTER_MODULUS } from '../files/parse.ts';

/** Counts of one sample, by name. */
export type Counts<Name extends string> = Readonly<Record<Name, number>>;

interface CounterSample<Name extends string> {
  readonly counts: Counts<Name>;
  readonly atMs: number;
  readonly identity: string;
}

/**
 * The values at which counters wrap. Two wraps of 32 bits between two samples (1 Gbit/s: 34 s) are not
 * detected; only 32-bit kernels have such counters. 64 bits take 58 years at 10 GB/s; beyond 2^53 steps are
 * exact to 2,048.
 */
const COUNTER_MODULI = [2 ** 32, COUNTER_MODULUS];
/** A counter below this can have reached its old value again after a reset, so it cannot rule one out. */
const DETECTOR_COUNT_MIN = 1000;

export class CounterRates<Name extends string> {
  readonly #counters: readonly (readonly [name: Name, perSMax: number])[];
  #previous: CounterSample<Name> | undefined;

  /** The highest possible rate of each counter: a step back that would need a higher one is no wrap. */
  constructor(perSMax: Counts<Name>) {
    this.#counters = Object.entries<number>(perSMax) as [Name, number][];
  }

  /**
   * The rates since the previous sample, never below 0; undefined in the first sample, after a reset or a
   * re-creation, and if no time has passed. `identity` differs between two devices of one name.
   */
  next(counts: Counts<Name>, atMs: number, identity = ''): Counts<Name> | undefined {
    const previous = this.#previous;
    const isSame = previous?.identity === identity;
    // If no time has passed, the next sample is compared with the same one.
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
      // A reset affects all counters of the device.
      if (distance === undefined || (step < 0 && !this.#hasUnresetCounter(previous, current)))
        return undefined;
      rates[name] = distance / seconds;
    }
    return rates as Counts<Name>;
  }

  /** A counter above 32 bits has 64; one that was in the lower half of its range was reset. */
  #wrapDistance(perSMax: number, previous: number, current: number, seconds: number): number | undefined {
    const modulus = COUNTER_MODULI.find((each) => previous < each) ?? COUNTER_MODULUS;
    const distance = modulus - previous + current;
    return previous >= modulus / 2 && distance <= perSMax * seconds ? distance : undefined;
  }

  /** Whether another counter of the device shows that there was no reset. */
  #hasUnresetCounter(previous: Counts<Name>, current: Counts<Name>): boolean {
    return this.#counters.some(
      ([name]) => previous[name] >= DETECTOR_COUNT_MIN && current[name] >= previous[name],
    );
  }
}
