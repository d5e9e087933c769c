/**
 * Reads a request's body as UTF-8 text, within a bound.
 *
 * The server judges size by Content-Length alone (contract, section 8); what comes in chunks is bounded only by our memory.
 */

import type { IncomingMessage } from 'node:http';

export type ReadBody =
  | { readonly status: 'read'; readonly text: string }
  /** The client went away, or sent more than we keep. */
  | { readonly status: 'aborted' };

/** Upper end for bodies without a Content-Length. */
export const CHUNKED_BYTES_MAX = 64 * 1024 * 1024;

export async function readBody(request: IncomingMessage, bytesMax: number): Promise<ReadBody> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      bytes += buffer.length;
      if (bytes > bytesMax) return { status: 'aborted' };
      chunks.push(buffer);
    }
  } catch {
    return { status: 'aborted' };
  }
  return { status: 'read', text: Buffer.concat(chunks).toString('utf8') };
}

/** Reads to the end and keeps nothing, so that a refusal is not lost to a reset connection. */
export async function discardBody(request: IncomingMessage): Promise<void> {
  try {
    for await (const _ of request);
  } catch {
    // The client went away; there is nobody to refuse any more.
  }
}

/** The announced size, or zero when the body comes in chunks. */
export function announcedBytes(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}
