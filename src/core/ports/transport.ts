/** Port for the server: one request, one deadline, one result; the session decides on retries. */

import type { Result } from '../failures/failure.ts';
import type { Secret } from '../model/secret.ts';

export interface ProvisionRequest {
  readonly deviceName: string;
  readonly key: string;
  readonly secret: Secret;
  /** Device-generated mode: the token to propose. Absent: the server chooses. */
  readonly token?: Secret;
}

/** The server, whatever the road. One request, one deadline, one result; retries are the session's. */
export interface Transport extends AsyncDisposable {
  /**
   * Provisions once (contract section 3). `keep` is awaited with the issued token before the server is told
   * that its answer arrived: as long as the agent lives, the server then repeats an answer that is not kept
   * yet. Across a restart it does not help (src/README.md). Rejects only when `keep` does.
   */
  provision(
    request: ProvisionRequest,
    persist: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>>;
  /** Asks whether the server takes this token (contract 3.5): true, or false for a clear "unauthorized". */
  probe(token: Secret, signal: AbortSignal): Promise<Result<boolean>>;
  /** Posts a telemetry body made by core/packing (contract section 4). */
  postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>>;
  /** Posts client attributes, a flat JSON object (contract section 5). */
  postAttributes(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>>;
}
