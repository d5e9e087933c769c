/**
 * The words of the session: its states, its events, and what it remembers. How they follow each other is
 * session.ts.
 */

import type { DeliveryEvent } from '../delivery/message.ts';
import type { Failure } from '../failures/failure.ts';
import type { Secret } from '../model/secret.ts';
import type { CredentialRecord } from '../ports/credentials.ts';

/**
 * What the gateway is known by, and the token it proposes; without one the server chooses (server-generated
 * mode).
 */
export interface DeviceIdentity {
  readonly deviceName: string;
  readonly token?: Secret;
  /** A token that worked until the server stopped taking it; tried again before each new request. */
  readonly previousToken?: Secret;
}

/** A claim whose token we chose ourselves, so that the server can be asked about it. */
export type IdentityWithToken = DeviceIdentity & { readonly token: Secret };

/** States that a wait can lead back to. */
export type ResumableStep =
  | { readonly at: 'load' }
  /**
   * `revoked`: the device whose token the server does not take any more. `proposed`: a token that was proposed
   * under a name the operator has changed since; it stays, so that it can never name two devices.
   */
  | { readonly at: 'record-intent'; readonly revoked?: IdentityWithToken; readonly proposed?: Secret }
  | { readonly at: 'provision'; readonly identity: DeviceIdentity }
  | { readonly at: 'verify-token'; readonly identity: IdentityWithToken; readonly nameDeclined: boolean }
  | {
      readonly at: 'verify-previous-token';
      readonly identity: DeviceIdentity & { readonly previousToken: Secret };
    }
  | { readonly at: 'save'; readonly identity: IdentityWithToken }
  | { readonly at: 'deliver'; readonly identity: IdentityWithToken };

export type SessionStep =
  | ResumableStep
  | {
      readonly at: 'wait';
      readonly forMs: number;
      readonly failure: Failure;
      readonly resumeAt: ResumableStep;
    };

/** A step and what the machine remembers about troubles: how many since the last healthy stretch. */
export type SessionState = SessionStep & {
  readonly consecutiveFailures: number;
  /**
   * Monotonic ms of the first delivery after the last trouble; troubles are forgotten after HEALTHY_MS of it.
   */
  readonly healthySinceMs?: number;
  /**
   * Deliveries refused as unauthorized since the last one that was not, and when that began, monotonic ms.
   */
  readonly authFailures?: { readonly count: number; readonly sinceMs: number };
  /** The token is in memory only: monotonic ms at which to try the disk again, between two deliveries. */
  readonly retrySaveAtMs?: number;
};

export type SessionEvent =
  | { readonly type: 'loaded'; readonly record: CredentialRecord | undefined }
  | { readonly type: 'intent-recorded'; readonly identity: DeviceIdentity }
  | { readonly type: 'token-issued'; readonly token: Secret }
  /** The server issued the token, and the disk would not take it: the token lives in memory only. */
  | { readonly type: 'token-unsaved'; readonly token: Secret; readonly failure: Failure }
  | { readonly type: 'token-verified'; readonly accepted: boolean }
  | { readonly type: 'saved' }
  | { readonly type: 'wait-over' }
  | DeliveryEvent;

export interface SessionContext {
  readonly monotonicMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
  /** There is a provisioning pair, and the operator wants it used for a revoked token too. Absent: no. */
  readonly mayProvision?: boolean;
  /** The name this gateway is to have; a pending record may hold another one. Absent: the same. */
  readonly deviceName?: string;
}
