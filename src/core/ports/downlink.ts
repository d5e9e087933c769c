/** Port for what the server sends to the gateway: shared attributes and commands (contract sections 5, 6 and 8). */

import type { Result } from '../failures/failure.ts';
import type { Secret } from '../model/secret.ts';

/** Shared attributes as the server sends them, unchecked. */
export type AttributeUpdate =
  /** All shared attributes: what is absent does not exist on the server. */
  | { readonly is: 'all'; readonly values: Readonly<Record<string, unknown>> }
  | { readonly is: 'changed'; readonly values: Readonly<Record<string, unknown>> }
  | { readonly is: 'deleted'; readonly keys: readonly string[] };

/** A remote procedure call of the server. Its id may repeat, after a restart of the server or a lost acknowledgement. */
export interface Command {
  readonly id: number;
  readonly method: string;
  /** Any JSON value, unchecked. */
  readonly params: unknown;
}

/** What to listen to; at least one. */
export interface Subscriptions {
  readonly attributes: boolean;
  readonly commands: boolean;
}

/** Must neither throw nor wait: the network does not. */
export interface DownlinkListener {
  /** The server has confirmed all subscriptions, for the first time or again. */
  onRegistered(): void;
  onAttributes(update: AttributeUpdate): void;
  onCommand(command: Command): void;
}

export interface Downlink {
  /**
   * Listens until the signal aborts, and renews the subscriptions: after a loss that nobody noticed, commands arrive
   * again within five minutes, attributes within thirty. Every registration reports all shared attributes. Ok: the
   * server or a change of the endpoint ended it; listen again after a pause.
   */
  listen(
    token: Secret,
    subscriptions: Subscriptions,
    listener: DownlinkListener,
    signal: AbortSignal,
  ): Promise<Result<void>>;
  /** Posts the reply to a command: a JSON object of at most 64 kB (contract section 6). */
  reply(token: Secret, commandId: number, body: string, signal: AbortSignal): Promise<Result<void>>;
}
