/**
 * Simulates a bad network by the current knobs: loss, duplication and reordering from a seeded random source;
 * `silent` (outgoing datagrams are dropped unnoticed) and `dead` (datagrams are dropped in both directions).
 * Reordering delays a datagram by 10 to 200 ms, so that later ones overtake it; at most 1,000 are delayed at
 * once.
 */

import type { Knobs } from '../core/model/types.ts';
import { createRandom } from '../core/random.ts';
import { Timers } from './timers.ts';

const delayedMax = 1_000;
const delayMinMs = 10;
const delaySpreadMs = 190;

export class NetworkSimulator {
  readonly #knobs: Knobs;
  readonly #delayed = new Timers();
  #seed: number;
  #random: () => number;

  constructor(knobs: Knobs) {
    this.#knobs = knobs;
    this.#seed = knobs.seed;
    this.#random = createRandom(knobs.seed);
  }

  inbound(deliver: () => void): void {
    if (this.#knobs.dead || this.#happens(this.#knobs.lossIn)) return;
    const isDuplicated = this.#happens(this.#knobs.duplicateIn);
    deliver();
    if (isDuplicated) deliver();
  }

  outbound(send: () => void): void {
    if (this.#knobs.dead || this.#knobs.silent || this.#happens(this.#knobs.lossOut)) return;
    const isDuplicated = this.#happens(this.#knobs.duplicateOut);
    if (this.#happens(this.#knobs.reorderOut) && this.#delayed.size < delayedMax) {
      this.#delayed.schedule(delayMinMs + this.#random() * delaySpreadMs, send);
    } else {
      send();
    }
    if (isDuplicated) send();
  }

  stop(): void {
    this.#delayed.stop();
  }

  #happens(share: number): boolean {
    if (this.#knobs.seed !== this.#seed) {
      this.#seed = this.#knobs.seed;
      this.#random = createRandom(this.#seed);
    }
    return share > 0 && this.#random() < share;
  }
}
