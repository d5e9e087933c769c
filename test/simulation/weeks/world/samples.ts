/**
 * The sensors of a simulated gateway. Every sample has a number of its own, keys that rarely change, one that
 * always changes, and one that is absent now and then. The ledger records every sample.
 */

import type { Value } from '../../../../src/core/model/reading.ts';
import type { Sensors } from '../../../../src/core/ports/sensors.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { AgentRecord, Ledger } from '../checks/ledger.ts';
import type { Poison } from '../plan/week-plan.ts';
import { POISON_KEY } from './week-server.ts';

const MODES = ['idle', 'heating', 'cooling', 'service'] as const;

export class Samples {
  readonly #random: SeededRandom;
  readonly #ledger: Ledger;
  readonly #poisons: ReadonlyMap<number, Poison>;
  readonly #nowMs: () => number;
  #isOpen = false;
  #mode: string = MODES[0];
  #slow = 0;
  #hasExtra = true;

  constructor(
    random: SeededRandom,
    ledger: Ledger,
    poisons: ReadonlyMap<number, Poison>,
    nowMs: () => number,
  ) {
    this.#random = random;
    this.#ledger = ledger;
    this.#poisons = poisons;
    this.#nowMs = nowMs;
  }

  /** The sensors of one process; `before` is called at each sample. */
  sensors(agent: AgentRecord, before: () => void): Sensors {
    return {
      sample: async () => {
        before();
        return this.#take(agent);
      },
    };
  }

  #take(agent: AgentRecord): Readonly<Record<string, Value>> {
    const random = this.#random;
    const { samples } = this.#ledger;
    const n = samples.length + 1;
    if (random.isTrue(0.02)) this.#isOpen = !this.#isOpen;
    if (random.isTrue(0.01)) this.#mode = MODES[random.integer(0, MODES.length - 1)] ?? MODES[0];
    if (random.isTrue(0.05)) this.#slow += 1;
    if (random.isTrue(0.01)) this.#hasExtra = !this.#hasExtra;
    const poison = this.#poisons.get(n);
    const values: Readonly<Record<string, Value>> = {
      n,
      open: this.#isOpen,
      mode: this.#mode,
      slow: this.#slow,
      noisy: Math.round(random.random() * 10_000) / 100,
      ...(this.#hasExtra && { extra: this.#slow >> 2 }),
      ...(poison && { [POISON_KEY]: poison }),
    };
    samples.push({
      n,
      takenMs: this.#nowMs(),
      agent,
      values,
      poison,
      wasUndated: false,
      timestamps: new Set(),
      arrivals: [],
      executions: 0,
      unconfirmedUndated: 0,
      confirmedBy: undefined,
      isOnDisk: false,
      backlogOf: undefined,
    });
    return values;
  }
}
