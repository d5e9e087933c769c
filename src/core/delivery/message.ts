/** A message that can be sent to the server now, and the handler of its result. */

import type { Failure, Result } from '../failures/failure.ts';

export interface OutgoingMessage {
  /** Posted in this order until one fails; empty if no value fits a datagram. */
  readonly bodies: readonly string[];
  readonly post: (body: string) => Promise<Result<void>>;
  /** Called once with the last result; resolves with the event for the session, if any. */
  readonly onResult: (result: Result<void>) => Promise<DeliveryEvent | undefined>;
}

/** The meaning of a result for the session. */
export type DeliveryEvent =
  | { readonly type: 'delivered' }
  /** The outbox changed, but the server accepted nothing. */
  | { readonly type: 'progressed' }
  | { readonly type: 'failed'; readonly failure: Failure };
