/**
 * One HTTP request and its response over a connection that the caller opens and has verified. Each request has a
 * connection of its own: a setup is about forty requests.
 */

import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ChildAbortController } from '../../core/async/abort.ts';
import { aborted, type Failure, type Result } from '../../core/failures/failure.ts';
import { errorCode } from '../../core/model/error-code.ts';
import type { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';

export interface RestRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly body?: unknown;
  /** The value of X-Authorization. */
  readonly authorization?: Secret | undefined;
}

export interface RestResponse {
  readonly status: number;
  readonly contentType: string;
  readonly location: string | undefined;
  readonly body: string;
}

export type RestExchange = (request: RestRequest, signal: AbortSignal) => Promise<Result<RestResponse>>;

export interface ExchangeSettings {
  /** The Host header. */
  readonly host: string;
  readonly userAgent: string;
  /** Opens a connection; for https the server is verified. */
  readonly open: (signal: AbortSignal) => Promise<Result<Socket>>;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** From the name lookup to the last byte, ms. A node under load needs seconds to save a dashboard. */
const TIMEOUT_MS = 60_000;
/** A dashboard of ThingsBoard's demo data has 0.1 MB. */
const RESPONSE_BYTES_MAX = 16 * 1024 * 1024;

export function createExchange({ host, userAgent, open, clock }: ExchangeSettings): RestExchange {
  return async (request, signal) => {
    using abort = new ChildAbortController(signal);
    let isTimedOut = false;
    void clock.sleep(TIMEOUT_MS, abort.signal).then(() => {
      isTimedOut = !abort.signal.aborted;
      abort.abort();
    });
    const timeout: Failure = {
      reason: 'server-timeout',
      detail: `${host}: no response within ${TIMEOUT_MS / 1000} s`,
    };
    const opened = await open(abort.signal);
    if (!opened.ok) {
      abort.abort();
      return isTimedOut ? { ok: false, failure: timeout } : opened;
    }
    try {
      return { ok: true, value: await send(opened.value, request, { host, userAgent }, abort.signal) };
    } catch (error) {
      if (isTimedOut) return { ok: false, failure: timeout };
      return signal.aborted ? aborted() : { ok: false, failure: failureOf(error, host) };
    } finally {
      abort.abort();
      opened.value.destroy();
    }
  };
}

async function send(
  socket: Socket,
  { method, path, body, authorization }: RestRequest,
  { host, userAgent }: Pick<ExchangeSettings, 'host' | 'userAgent'>,
  signal: AbortSignal,
): Promise<RestResponse> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const outgoing = httpRequest({
    createConnection: () => socket,
    method,
    path,
    signal,
    headers: {
      Host: host,
      'User-Agent': userAgent,
      Accept: 'application/json',
      Connection: 'close',
      ...(text !== undefined && {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(text),
      }),
      ...(authorization && { 'X-Authorization': authorization.reveal() }),
    },
  });
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    outgoing.on('close', () => reject(Object.assign(new Error('no response'), { code: 'ECONNRESET' })));
    outgoing.end(text);
  });
  return {
    status: incoming.statusCode ?? 0,
    contentType: (incoming.headers['content-type'] ?? '').toLowerCase(),
    location: incoming.headers.location,
    body: await readBody(incoming),
  };
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > RESPONSE_BYTES_MAX)
      throw Object.assign(new Error('response too large'), { code: 'ERR_RESPONSE_TOO_LARGE' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function failureOf(error: unknown, host: string): Failure {
  const code = errorCode(error) ?? 'unknown error';
  const isClosed = code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED';
  return { reason: isClosed ? 'connection-reset' : 'unexpected-response', detail: `${host}: ${code}` };
}
