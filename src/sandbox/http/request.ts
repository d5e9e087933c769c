/** Parses the target of an HTTP request and reads its body, up to a maximum size. */

import type { IncomingMessage } from 'node:http';

export interface Target {
  /** Decoded, without the empty segment before the first slash. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** Undefined if the percent-encoding is malformed. */
export function parseTarget(url: string): Target | undefined {
  const [path = '', ...rest] = url.split('?');
  try {
    const segments = path.split('/').slice(1).map(decodeURIComponent);
    return { segments, query: new URLSearchParams(rest.join('?')) };
  } catch {
    return undefined;
  }
}

export type ReadBody =
  | { readonly status: 'read'; readonly bytes: Buffer }
  /** The client disconnected, or the body exceeds the maximum. */
  | { readonly status: 'aborted' };

/** Limit without Content-Length. The server checks only Content-Length (contract section 8). */
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
  return { status: 'read', bytes: Buffer.concat(chunks) };
}

/**
 * Reads to the end, because closing earlier resets the connection and the client may lose the error response.
 */
export async function discardBody(request: IncomingMessage): Promise<void> {
  try {
    for await (const _ of request);
  } catch {
    // The client disconnected.
  }
}

/** The Content-Length; zero if there is none. */
export function announcedBytes(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}
