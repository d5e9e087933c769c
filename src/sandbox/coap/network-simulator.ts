/**
 * The bad network between the front door and its peers, and the ways a server can fail to be heard.
 *
 * Reads the knobs live at every datagram: loss, duplication and reordering by seeded dice (a changed seed makes new
 * dice), `silent` (what would be said is not sent, and the server believes it said it) and `dead` (nothing is read,
 * nothing sent). Reordering holds a datagram back 10 to 200 ms so that later ones overtake it; at most 1,000 are held.
 */

import type { Knobs } from '../core/model/types.ts';
import { createRandom } from '../core/random.ts';
import { Timers } from './timers.ts';

const heldMax = 1_000;
const holdMinMs = 10;
const holdSpreadMs = 190;

export class NetworkSimulator {
  readonly #knobs: Knobs;
  readonly #held = new Timers();
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
    if (this.#happens(this.#knobs.reorderOut) && this.#held.size < heldMax) {
      this.#held.schedule(holdMinMs + this.#random() * holdSpreadMs, send);
    } else {
      send();
    }
    if (isDuplicated) send();
  }

  stop(): void {
    this.#held.stop();
  }

  #happens(share: number): boolean {
    if (this.#knobs.seed !== this.#seed) {
      this.#seed = this.#knobs.seed;
      this.#random = createRandom(this.#seed);
    }
    return share > 0 && this.#random() < share;
  }
}
