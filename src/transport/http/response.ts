/**
 * An HTTP answer, read to its end and no further than anything of ThingsBoard's is long.
 */

import type { IncomingMessage } from 'node:http';
import type { Result } from '../../core/failures/failure.ts';
import { parseRetryAfter } from './retry-after.ts';

/** ThingsBoard's own answers are under 300 bytes, and an error page is of no use after its first lines. */
const RESPONSE_BYTES_MAX = 16 * 1024;

export interface HttpResponse {
  readonly status: number;
  /** Cut after 16 KiB; empty when it is compressed, which nobody asked for. */
  readonly body: string;
  /** In lower case; empty when there is none. */
  readonly contentType: string;
  readonly location: string | undefined;
  /** It says how to log in: ThingsBoard's device API never does. */
  readonly requiresLogin: boolean;
  /** It says that it has not done it, and when to come back. */
  readonly retryAfterMs: number | undefined;
  /** The proxy that may have said all this itself, as logs show it. */
  readonly proxy: string | undefined;
}

/** Rejects when the connection ends within the answer. `proxy`: one that reads what we say, if there is one. */
export async function readResponse(incoming: IncomingMessage, proxy?: string): Promise<Result<HttpResponse>> {
  const { statusCode: status = 0, headers } = incoming;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    chunks.push(chunk);
    // Leaving the loop ends the connection, too.
    if (bytes > RESPONSE_BYTES_MAX) break;
  }
  const encoding = (headers['content-encoding'] ?? 'identity').toLowerCase();
  const isCompressed = bytes > 0 && encoding !== 'identity';
  // The status of an outage speaks for itself; of the others it is the body that says who answers.
  if (isCompressed && status < 500) {
    const detail = `answer ${status}, compressed though nobody asked for that`;
    return { ok: false, failure: { reason: 'unexpected-response', detail } };
  }
  return {
    ok: true,
    value: {
      status,
      body: isCompressed ? '' : Buffer.concat(chunks).subarray(0, RESPONSE_BYTES_MAX).toString('utf8'),
      contentType: (headers['content-type'] ?? '').toLowerCase(),
      location: headers.location,
      requiresLogin: headers['www-authenticate'] !== undefined,
      retryAfterMs: parseRetryAfter(headers),
      proxy,
    },
  };
}
