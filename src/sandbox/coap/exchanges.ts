/**
 * Deduplicates requests by peer and message ID, for 247 s after a CON and 145 s after a NON request (contract
 * section 2). At most `exchangesMax` requests are remembered, the oldest dropped first; a dropped one would
 * be executed again.
 */

import { type CoapRequest, peerKey } from './message.ts';
import { Reply, type ServerContext } from './reply.ts';

interface ExchangeEntry {
  readonly reply: Reply;
  readonly untilMs: number;
}

export interface ExchangeLookup {
  readonly status: 'new' | 'duplicate';
  readonly reply: Reply;
}

export class Exchanges {
  readonly #context: ServerContext;
  readonly #nowMs: () => number;
  readonly #entries = new Map<string, ExchangeEntry>();

  /** `nowMs` is a monotonic clock. */
  constructor(context: ServerContext, nowMs: () => number = () => performance.now()) {
    this.#context = context;
    this.#nowMs = nowMs;
  }

  register(request: CoapRequest): ExchangeLookup {
    const key = `${peerKey(request.peer)} ${request.messageId}`;
    const nowMs = this.#nowMs();
    const existing = this.#entries.get(key);
    if (existing !== undefined && existing.untilMs > nowMs)
      return { status: 'duplicate', reply: existing.reply };
    this.#entries.delete(key);
    this.#removeExpired(nowMs);
    const { conMemoryMs, nonMemoryMs } = this.#context.settings;
    const reply = new Reply(request, this.#context);
    this.#entries.set(key, { reply, untilMs: nowMs + (request.confirmable ? conMemoryMs : nonMemoryMs) });
    return { status: 'new', reply };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Drops expired entries, and the oldest if the map is full. */
  #removeExpired(nowMs: number): void {
    for (const [key, { untilMs }] of this.#entries) {
      if (untilMs > nowMs && this.#entries.size < this.#context.settings.exchangesMax) return;
      this.#entries.delete(key);
    }
  }
}
