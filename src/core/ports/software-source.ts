/** Port for the software packages that the server assigns to a device (contract sections 7 and 14). */

import type { Result } from '../failures/failure.ts';
import type { Secret } from '../model/secret.ts';

/** Every chunk but the last is a multiple of this many bytes: the largest that ThingsBoard sends in one CoAP message. */
export const CHUNK_BYTES = 1024;

export interface SoftwareChunk {
  readonly title: string;
  readonly version: string;
  /** Where the chunk begins, bytes: a multiple of `CHUNK_BYTES`, below the size of the package. */
  readonly offset: number;
}

export interface SoftwareSource {
  /**
   * Gets the bytes of the assigned package from `offset` on: 1,024 or a multiple of it, fewer only at the end of the package.
   * `request-malformed`: the server has assigned another version meanwhile.
   */
  downloadChunk(token: Secret, chunk: SoftwareChunk, signal: AbortSignal): Promise<Result<Uint8Array>>;
}
