/**
 * Turns the counters of one device into rates per second of monotonic time. It never invents a rate:
 *
 *   wrap         one 32-bit counter overflowed, others continued             the rate across the wrap
 *   reset        driver reloaded or container restored: all start again      no rates in this round
 *   jump         a counter moved further than the device can in that time    no rate of it
 *   return       a counter that ran back is where it was before              no rate of it
 *   re-creation  another device has the name: its identity differs           no rates in this round
 *   suspend      neither the counters nor monotonic time move                no effect
 *
 * One counter that runs back, jumps or returns while others of the device continue is broken and costs only
 * its own rate; two are a reset. A counter that went back is a wrap only if it was in the upper half of its
 * range, had moved before, could have moved that far in the time, and another counter with enough counts
 * continued. In doubt there is no rate: a missing rate is noticed, a wrong one is believed.
 */

/** The value at which the counters of 32-bit kernels and some drivers wrap. Two wraps in a round are not seen. */
const WRAP_AT = 2 ** 32;
/** A counter below this can have reached its old value again after a reset, so it cannot rule one out. */
const CONTINUING_COUNT_MIN = 1000;
/** Some devices publish their counts in steps, up to this much time apart. */
export const BURST_S = 2;
/** Rounds in a row without a rate after which a counter is reported as broken. */
export const BROKEN_ROUNDS_MIN = 10;

/** `undefined`: no rate of this counter. In the order of the counters. */
export type Rates = readonly (number | undefined)[];

/** How a counter moved since the previous sample. */
type Movement = 'forward' | 'wrap' | 'still' | 'back' | 'jump' | 'return' | 'invalid';

interface Counter {
  readonly perSMax: number;
  count: number;
  /** The count before it ran back; undefined once it has counted on from there. */
  countBefore: number | undefined;
  /** The last step was plausible, or there was none. */
  isPlausible: boolean;
  movement: Movement;
  /** Since the previous sample; 0 if it does not give a rate. */
  distance: number;
  roundsWithoutRate: number;
}

export class CounterRates {
  readonly #counters: readonly Counter[];
  readonly #speed: () => number;
  #atMs: number | undefined;
  #identity = '';

  /**
   * `perSMax`: the highest rate of each counter, of a device of speed 1. `speed`: how many times faster this
   * device is, at least 1; asked only if a counter moved further.
   */
  constructor(perSMax: readonly number[], speed: () => number = () => 1) {
    this.#counters = perSMax.map((each) => ({
      perSMax: each,
      count: Number.NaN,
      countBefore: undefined,
      isPlausible: true,
      movement: 'still',
      distance: 0,
      roundsWithoutRate: 0,
    }));
    this.#speed = speed;
  }

  /** Whether a counter has had no rate for so many rounds in a row that something is wrong with it. */
  get isBroken(): boolean {
    return this.#counters.some(({ roundsWithoutRate }) => roundsWithoutRate >= BROKEN_ROUNDS_MIN);
  }

  /**
   * The rates since the previous sample, never below 0; undefined in the first sample, after a reset or a
   * re-creation, and if no time has passed. `counts`: in the order of `perSMax`, NaN for an invalid one.
   * `identity` differs between two devices of one name.
   */
  next(counts: readonly number[], atMs: number, identity = ''): Rates | undefined {
    const previousMs = this.#atMs;
    const isSame = previousMs !== undefined && identity === this.#identity;
    // If no time has passed, the next sample is compared with the same one.
    if (isSame && atMs === previousMs) return undefined;
    this.#atMs = atMs;
    this.#identity = identity;
    if (!isSame || atMs < previousMs) {
      this.#start(counts);
      return undefined;
    }
    const seconds = (atMs - previousMs) / 1000;
    let at = 0;
    for (const counter of this.#counters) {
      this.#move(counter, counts[at] ?? Number.NaN, seconds);
      at += 1;
    }
    const isReset = this.#isReset();
    const rates: (number | undefined)[] = [];
    for (const counter of this.#counters) rates.push(rateOf(counter, isReset, seconds));
    return isReset ? undefined : rates;
  }

  #start(counts: readonly number[]): void {
    for (const [at, counter] of this.#counters.entries()) {
      counter.count = counts[at] ?? Number.NaN;
      counter.countBefore = undefined;
      counter.isPlausible = true;
      counter.roundsWithoutRate = 0;
    }
  }

  #move(counter: Counter, count: number, seconds: number): void {
    const { count: previous, countBefore } = counter;
    const step = count - previous;
    counter.count = count;
    counter.distance = 0;
    if (Number.isNaN(step)) counter.movement = 'invalid';
    else if (step === 0) counter.movement = 'still';
    else if (step < 0) this.#moveBack(counter, previous, step, seconds);
    else if (!this.#canMove(counter, step, seconds)) counter.movement = 'jump';
    else if (countBefore !== undefined && count >= countBefore) counter.movement = 'return';
    else {
      counter.movement = 'forward';
      counter.distance = step;
    }
    // A counter that stands still after it ran back may yet return.
    if (counter.movement !== 'still' && counter.movement !== 'back') counter.countBefore = undefined;
  }

  #moveBack(counter: Counter, previous: number, step: number, seconds: number): void {
    const distance = WRAP_AT + step;
    const canWrap = counter.isPlausible && previous < WRAP_AT && previous >= WRAP_AT / 2;
    if (canWrap && distance <= counter.perSMax * seconds) {
      counter.movement = 'wrap';
      counter.distance = distance;
    } else {
      counter.movement = 'back';
      counter.countBefore = Math.max(previous, counter.countBefore ?? 0);
    }
  }

  #canMove({ perSMax }: Counter, step: number, seconds: number): boolean {
    const stepMax = perSMax * (seconds + BURST_S);
    return step <= stepMax || step <= stepMax * this.#speed();
  }

  /**
   * All counters of the device start again in a reset, so no rate of this round is right. A single one that
   * runs back, jumps or wraps is no reset if another one shows that it has counted on.
   */
  #isReset(): boolean {
    let broken = 0;
    let wraps = 0;
    let isContinued = false;
    for (const { movement, count, distance } of this.#counters) {
      if (movement === 'wrap') wraps += 1;
      else if (movement === 'forward' || movement === 'still')
        isContinued ||= count - distance >= CONTINUING_COUNT_MIN;
      else if (movement !== 'invalid') broken += 1;
    }
    // Beside a broken one, a wrap is more likely a part of a reset.
    return broken > 1 || (broken > 0 && wraps > 0) || (broken + wraps > 0 && !isContinued);
  }
}

function rateOf(counter: Counter, isReset: boolean, seconds: number): number | undefined {
  const { movement, distance } = counter;
  const hasRate = !isReset && (movement === 'forward' || movement === 'still' || movement === 'wrap');
  if (!hasRate) counter.isPlausible = false;
  else if (movement !== 'still') counter.isPlausible = true;
  if (hasRate) counter.roundsWithoutRate = 0;
  // An invalid count is reported by whoever has read it.
  else if (movement !== 'invalid') counter.roundsWithoutRate += 1;
  return hasRate ? distance / seconds : undefined;
}
