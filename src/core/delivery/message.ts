/**
 * A parcel: something that can be sent to the server now, whatever it is, and what follows from the answer.
 */

import type { Failure, Result } from '../failures/failure.ts';

export interface OutgoingMessage {
  /** Posted in this order until one is refused; none when there is nothing in it to send. */
  readonly bodies: readonly string[];
  readonly post: (body: string) => Promise<Result<void>>;
  /** Called once, with the last answer; resolves with what the session should hear of it, if anything. */
  readonly onResult: (result: Result<void>) => Promise<DeliveryEvent | undefined>;
}

/** What an answer means to the session. */
export type DeliveryEvent =
  | { readonly type: 'delivered' }
  /** Something changed in the outbox, but the server accepted nothing. */
  | { readonly type: 'progressed' }
  | { readonly type: 'failed'; readonly failure: Failure };
