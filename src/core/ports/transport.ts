/** Port for the server: one request, one deadline, one result; the session decides on retries. */

import type { Result } from '../failures/failure.ts';
import type { Secret } from '../model/secret.ts';
import type { Downlink } from './downlink.ts';
import type { SoftwareSource } from './software-source.ts';

export interface ProvisionRequest {
  readonly deviceName: string;
  readonly key: string;
  readonly secret: Secret;
  /** The proposed token in device-generated mode. Absent: the server chooses. */
  readonly token?: Secret;
}

/** The server, by any endpoint. */
export interface Transport extends Downlink, SoftwareSource, AsyncDisposable {
  /**
   * Provisions once (contract section 3). Awaits `persist` with the issued token before it acknowledges the
   * response: while the agent runs, the server repeats a response whose token is not stored yet. After a
   * restart it does not. Rejects only if `persist` does.
   */
  provision(
    request: ProvisionRequest,
    persist: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>>;
  /** Whether the server accepts the token (contract 3.5); false only for "unauthorized". */
  probe(token: Secret, signal: AbortSignal): Promise<Result<boolean>>;
  /** The longest body of a post with the token, bytes of UTF-8; the same for every endpoint. */
  bodyBytesMax(token: Secret): number;
  /** Posts a telemetry body of delivery/encode.ts (contract section 4). */
  postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>>;
  /** Posts client attributes, a flat JSON object (contract section 5). */
  postAttributes(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>>;
}
