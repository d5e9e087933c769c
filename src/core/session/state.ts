/** The states, events and context of the session. machine.ts defines their transitions. */

import type { DeliveryEvent } from '../delivery/message.ts';
import type { FailureCounts } from '../failures/backoff.ts';
import type { Failure } from '../failures/failure.ts';
import type { Secret } from '../model/secret.ts';
import type { CredentialRecord } from '../ports/credentials.ts';

/** The device name and the proposed token; without a token the server chooses (server-generated mode). */
export interface DeviceIdentity {
  readonly deviceName: string;
  readonly token?: Secret;
  /** A token that the server has stopped accepting; verified again before each new request. */
  readonly previousToken?: Secret;
}

/** An identity with a token, which the agent can verify with the server. */
export type IdentityWithToken = DeviceIdentity & { readonly token: Secret };

/** The steps that can follow a wait. */
export type ResumableStep =
  | { readonly at: 'load' }
  /**
   * `revoked`: the device whose token the server no longer accepts. `proposed`: a token that was proposed
   * under a name that has changed since; it stays, so that it can never belong to two devices.
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

/** A step, and the failures of each reason since the last healthy period. */
export type SessionState = SessionStep & {
  readonly failureCounts: FailureCounts;
  /**
   * Monotonic ms of the first delivery after the last failure; HEALTHY_MS later the failure counts are reset.
   */
  readonly healthySinceMs?: number;
  /** Consecutive `unauthorized` responses to deliveries, and monotonic ms of the first. */
  readonly authFailures?: { readonly count: number; readonly sinceMs: number };
  /** The token is in memory only: monotonic ms of the next attempt to store it. */
  readonly retrySaveAtMs?: number;
};

export type SessionEvent =
  | { readonly type: 'loaded'; readonly record: CredentialRecord | undefined }
  | { readonly type: 'intent-recorded'; readonly identity: DeviceIdentity }
  | { readonly type: 'token-issued'; readonly token: Secret }
  /** The server issued the token, but it could not be stored: it is in memory only. */
  | { readonly type: 'token-unsaved'; readonly token: Secret; readonly failure: Failure }
  | { readonly type: 'token-verified'; readonly accepted: boolean }
  | { readonly type: 'saved' }
  | { readonly type: 'wait-over' }
  | DeliveryEvent;

export interface SessionContext {
  readonly monotonicMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
  /** The agent has a provisioning key and may use it for a revoked token too. Absent: no. */
  readonly mayProvision?: boolean;
  /** The configured name; a pending record may have another one. Absent: the same. */
  readonly deviceName?: string;
}
