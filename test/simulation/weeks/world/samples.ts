/**
 * The sensors of a simulated gateway: every sample has a number of its own, keys that rarely change, one that always does, and
 * one that is absent now and then; and every sample is written down in the ledger.
 */

import type { Value } from '../../../../src/core/model/reading.ts';
import type { Sensors } from '../../../../src/core/ports/sensors.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { Ledger, LifeRecord } from '../checks/ledger.ts';
import type { Poison } from '../plan/week-plan.ts';
import { POISON_KEY } from './week-server.ts';

const MODES = ['idle', 'heating', 'cooling', 'service'] as const;

export class Samples {
  readonly #rng: SeededRandom;
  readonly #ledger: Ledger;
  readonly #poisons: ReadonlyMap<number, Poison>;
  readonly #nowMs: () => number;
  #isOpen = false;
  #mode: string = MODES[0];
  #slow = 0;
  #hasExtra = true;

  constructor(rng: SeededRandom, ledger: Ledger, poisons: ReadonlyMap<number, Poison>, nowMs: () => number) {
    this.#rng = rng;
    this.#ledger = ledger;
    this.#poisons = poisons;
    this.#nowMs = nowMs;
  }

  /** The sensors of one process; `before` is called at each sample. */
  sensors(life: LifeRecord, before: () => void): Sensors {
    return {
      sample: async () => {
        before();
        return this.#take(life);
      },
    };
  }

  #take(life: LifeRecord): Readonly<Record<string, Value>> {
    const rng = this.#rng;
    const { samples } = this.#ledger;
    const n = samples.length + 1;
    if (rng.isTrue(0.02)) this.#isOpen = !this.#isOpen;
    if (rng.isTrue(0.01)) this.#mode = MODES[rng.integer(0, MODES.length - 1)] ?? MODES[0];
    if (rng.isTrue(0.05)) this.#slow += 1;
    if (rng.isTrue(0.01)) this.#hasExtra = !this.#hasExtra;
    const poison = this.#poisons.get(n);
    const values: Readonly<Record<string, Value>> = {
      n,
      open: this.#isOpen,
      mode: this.#mode,
      slow: this.#slow,
      noisy: Math.round(rng.random() * 10_000) / 100,
      ...(this.#hasExtra && { extra: this.#slow >> 2 }),
      ...(poison && { [POISON_KEY]: poison }),
    };
    samples.push({
      n,
      takenMs: this.#nowMs(),
      life,
      values,
      poison,
      wasUndated: false,
      dated: new Set(),
      arrivals: [],
      executions: 0,
      unheardLive: 0,
      heardInLife: undefined,
      backlogOfLife: undefined,
    });
    return values;
  }
}
