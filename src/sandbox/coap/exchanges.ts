/**
 * The memory of message IDs: a request seen before is answered from memory and never executed twice.
 *
 * Keyed by peer and message ID, for 247 s after a CON and 145 s after a NON request (contract, section 2). At most
 * `exchangesMax` requests are remembered, the oldest forgotten first; a forgotten one would be executed again.
 */

import { type CoapRequest, peerKey } from './message.ts';
import { Reply, type Road } from './reply.ts';

interface Remembered {
  readonly reply: Reply;
  readonly untilMs: number;
}

export interface Meeting {
  readonly status: 'new' | 'duplicate';
  readonly reply: Reply;
}

export class Exchanges {
  readonly #road: Road;
  readonly #nowMs: () => number;
  readonly #remembered = new Map<string, Remembered>();

  /** `nowMs` is any clock that never steps; tests turn it by hand. */
  constructor(road: Road, nowMs: () => number = () => performance.now()) {
    this.#road = road;
    this.#nowMs = nowMs;
  }

  meet(request: CoapRequest): Meeting {
    const key = `${peerKey(request.peer)} ${request.messageId}`;
    const nowMs = this.#nowMs();
    const known = this.#remembered.get(key);
    if (known !== undefined && known.untilMs > nowMs) return { status: 'duplicate', reply: known.reply };
    this.#remembered.delete(key);
    this.#forgetOld(nowMs);
    const { conMemoryMs, nonMemoryMs } = this.#road.settings;
    const reply = new Reply(request, this.#road);
    this.#remembered.set(key, { reply, untilMs: nowMs + (request.confirmable ? conMemoryMs : nonMemoryMs) });
    return { status: 'new', reply };
  }

  get size(): number {
    return this.#remembered.size;
  }

  /** Drops expired entries from the old end, and the oldest when full. */
  #forgetOld(nowMs: number): void {
    for (const [key, { untilMs }] of this.#remembered) {
      if (untilMs > nowMs && this.#remembered.size < this.#road.settings.exchangesMax) return;
      this.#remembered.delete(key);
    }
  }
}
