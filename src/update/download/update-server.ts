/** What updates need of the server: the connection of the session, telemetry and chunks. */

import type { Result } from '../../core/failures/failure.ts';
import type { Secret } from '../../core/model/secret.ts';
import type { SoftwareChunk } from '../../core/ports/software-source.ts';

export interface UpdateServer {
  /** The access token while the session delivers; undefined when the signal aborts. */
  connected(signal: AbortSignal): Promise<Secret | undefined>;
  postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>>;
  downloadChunk(token: Secret, chunk: SoftwareChunk, signal: AbortSignal): Promise<Result<Uint8Array>>;
}
