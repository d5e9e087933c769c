/**
 * Recognises repeated datagrams of the server. By message ID, code, Observe value and payload, because the server
 * draws the IDs of notifications at random: two may be equal within the lifetime of one (contract section 5).
 */

import { createHash } from 'node:crypto';
import type { Clock } from '../../core/ports/clock.ts';
import type { ResponseMessage } from './datagram.ts';

const MESSAGES_MAX = 64;
/** EXCHANGE_LIFETIME (RFC 7252 section 4.8.2), ms: the server repeats a datagram for 93 s, the network may delay it. */
const LIFETIME_MS = 247_000;

export class RecentMessages {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** When each one expires, monotonic ms; oldest first. */
  readonly #expiryMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  has(message: ResponseMessage): boolean {
    return (this.#expiryMs.get(digestOf(message)) ?? Number.NEGATIVE_INFINITY) > this.#clock.monotonicMs();
  }

  add(message: ResponseMessage): void {
    const digest = digestOf(message);
    this.#expiryMs.delete(digest);
    this.#expiryMs.set(digest, this.#clock.monotonicMs() + LIFETIME_MS);
    const [oldest] = this.#expiryMs.keys();
    if (oldest !== undefined && this.#expiryMs.size > MESSAGES_MAX) this.#expiryMs.delete(oldest);
  }
}

function digestOf({ messageId, code, observe, payload }: ResponseMessage): string {
  return createHash('sha1').update(`${messageId} ${code} ${observe} `).update(payload).digest('base64');
}
