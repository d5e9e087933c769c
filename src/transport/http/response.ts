/** Reads an HTTP response, up to a maximum size. */

import type { IncomingMessage } from 'node:http';
import { RETRY_AFTER_MS_MAX, type Result } from '../../core/failures/failure.ts';
import { parseJsonObject } from '../../core/model/json-object.ts';

/** Responses to posts are below 300 bytes; of an error page the first lines suffice. */
export const RESPONSE_BYTES_MAX = 16 * 1024;

export interface HttpResponse {
  readonly status: number;
  /** At most 16 KiB, or as the request allows; empty if it is compressed. */
  readonly body: string;
  /** The body as it came, with the same limit. */
  readonly bytes: Buffer;
  /** The body is longer. */
  readonly isTruncated?: boolean;
  /** In lower case; empty if there is none. */
  readonly contentType: string;
  readonly location: string | undefined;
  /** It has a WWW-Authenticate header, which ThingsBoard's device API never sends. */
  readonly requiresLogin: boolean;
  readonly retryAfterMs: number | undefined;
  /** The name in the Server header, such as `cloudflare` or `nginx/1.26.3`, if it is short and plain. */
  readonly serverName: string | undefined;
  /** URL of the plaintext proxy that may have sent this response itself, as the log shows it. */
  readonly proxy: string | undefined;
}

/**
 * Rejects if the connection ends within the response. `proxy`: URL of the plaintext proxy, if there is one.
 */
export async function readResponse(
  incoming: IncomingMessage,
  proxy?: string,
  bytesMax = RESPONSE_BYTES_MAX,
): Promise<Result<HttpResponse>> {
  const { statusCode: status = 0, headers } = incoming;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    chunks.push(chunk);
    // Leaving the loop closes the connection.
    if (bytes > bytesMax) break;
  }
  const encoding = (headers['content-encoding'] ?? 'identity').toLowerCase();
  const isCompressed = bytes > 0 && encoding !== 'identity';
  // The agent requests no compression. From 500 on the status suffices; below, the body shows who responded.
  if (isCompressed && status < 500) {
    const detail = `response ${status} with unrequested compression`;
    return { ok: false, failure: { reason: 'unexpected-response', detail } };
  }
  const content = isCompressed ? Buffer.alloc(0) : Buffer.concat(chunks).subarray(0, bytesMax);
  return {
    ok: true,
    value: {
      status,
      body: content.toString('utf8'),
      bytes: content,
      ...(bytes > bytesMax && { isTruncated: true }),
      contentType: (headers['content-type'] ?? '').toLowerCase(),
      location: headers.location,
      requiresLogin: headers['www-authenticate'] !== undefined,
      retryAfterMs: parseRetryAfter(headers),
      serverName: parseServerName(headers['server']),
      proxy,
    },
  };
}

/**
 * ThingsBoard's own 408, an overload: `{"error":"Timeout during persistence of the message to the queue!"}`. Any other
 * is of a program in front of it.
 */
export function isQueueTimeout({ status, body }: Pick<HttpResponse, 'status' | 'body'>): boolean {
  const error = status === 408 ? parseJsonObject(body)?.['error'] : undefined;
  return typeof error === 'string' && /^timeout\b/i.test(error);
}

/**
 * Parses Retry-After (RFC 9110 section 10.2.3); undefined if it is missing or invalid. ThingsBoard never
 * sends it (contract section 10); a proxy does. A date is relative to the response's own Date, because the
 * clock of this host may be wrong.
 */
export function parseRetryAfter(headers: {
  readonly 'retry-after'?: string | undefined;
  readonly date?: string | undefined;
}): number | undefined {
  const value = headers['retry-after']?.trim() ?? '';
  const ms = /^\d+$/.test(value)
    ? Number(value) * 1000
    : parseHttpDate(value) - parseHttpDate(headers.date ?? '');
  return ms > 0 ? Math.min(ms, RETRY_AFTER_MS_MAX) : undefined;
}

/**
 * `Date.parse` reads "7.5" as a day in July; an HTTP date starts with the day of the week (section 5.6.7).
 */
function parseHttpDate(text: string): number {
  return /^[A-Z][a-z]+, /.test(text) ? Date.parse(text) : Number.NaN;
}

/** Only what cannot be text of a request: a name and a version. */
function parseServerName(header: string | readonly string[] | undefined): string | undefined {
  return /^[\w./-]{1,40}(?=$| )/.exec(String(header ?? ''))?.[0];
}
