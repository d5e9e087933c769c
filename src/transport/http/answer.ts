/**
 * An HTTP answer, read to its end and no further than anything of ThingsBoard's is long.
 */

import type { IncomingMessage } from 'node:http';
import type { Result } from '../../core/ports.ts';

/** ThingsBoard's own answers are under 300 bytes, and an error page is of no use after its first lines. */
const ANSWER_BYTES_MAX = 16 * 1024;

export interface HttpAnswer {
  readonly status: number;
  /** Cut after 16 KiB. */
  readonly body: string;
  /** In lower case; empty when there is none. */
  readonly contentType: string;
  readonly location: string | undefined;
  /** It says how to log in: ThingsBoard's device API never does. */
  readonly asksForLogin: boolean;
}

/** Rejects when the connection ends within the answer. */
export async function readAnswer(incoming: IncomingMessage): Promise<Result<HttpAnswer>> {
  const { statusCode: status = 0, headers } = incoming;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    chunks.push(chunk);
    // Leaving the loop ends the connection, too.
    if (bytes > ANSWER_BYTES_MAX) break;
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    const detail = `answer ${status}, compressed though nobody asked for that`;
    return { ok: false, refusal: { reason: 'unintelligible', detail } };
  }
  return {
    ok: true,
    value: {
      status,
      body: Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX).toString('utf8'),
      contentType: (headers['content-type'] ?? '').toLowerCase(),
      location: headers.location,
      asksForLogin: headers['www-authenticate'] !== undefined,
    },
  };
}
