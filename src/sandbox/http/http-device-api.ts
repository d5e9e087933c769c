/**
 * The HTTP device API (contract section 1.2): checks size, route and method, reads the body and calls the
 * handlers. With the knob `dead` it reads nothing, with `silent` it sends nothing; neither closes the
 * connection.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type SandboxClock, systemClock } from '../core/clock.ts';
import type { SandboxCore } from '../core/model/types.ts';
import { DeviceHandlers } from './device-handlers.ts';
import { allowsMethod, bytesMax, findRoute, refusedBy } from './device-routes.ts';
import { type HttpListener, listen } from './listener.ts';
import { badRequestPage, errorObject, type Reply, send } from './reply.ts';
import { announcedBytes, CHUNKED_BYTES_MAX, discardBody, parseTarget, readBody } from './request.ts';

export interface HttpDeviceApiOptions {
  readonly core: SandboxCore;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly log: (line: string) => void;
  readonly clock?: SandboxClock;
  /** The asynchronous timeout of the real server; default 30 s (contract section 8). */
  readonly asyncTimeoutMs?: number;
}

const ASYNC_TIMEOUT_MS = 30_000;
/**
 * The real server reads and discards a rejected body up to this size; for a larger one it closes the
 * connection.
 */
const DISCARDED_BYTES_MAX = 2 * 1024 * 1024;

export function openHttpDeviceApi(options: HttpDeviceApiOptions): Promise<HttpListener> {
  const api = new HttpDeviceApi(options);
  return listen(options, (request, response) => api.serve(request, response));
}

class HttpDeviceApi {
  readonly #core: SandboxCore;
  readonly #clock: SandboxClock;
  readonly #handlers: DeviceHandlers;

  constructor({ core, clock = systemClock, asyncTimeoutMs = ASYNC_TIMEOUT_MS }: HttpDeviceApiOptions) {
    this.#core = core;
    this.#clock = clock;
    this.#handlers = new DeviceHandlers({ core, clock, asyncTimeoutMs });
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { knobs } = this.#core;
    if (knobs.dead) return;
    const disconnected = new AbortController();
    response.once('close', () => disconnected.abort());
    const reply = await this.#reply(request, disconnected.signal);
    if (reply !== undefined && !knobs.silent && !disconnected.signal.aborted) send(response, reply);
  }

  /** Undefined if the client has disconnected. */
  async #reply(request: IncomingMessage, signal: AbortSignal): Promise<Reply | undefined> {
    const method = request.method ?? '';
    const url = request.url ?? '';
    const refuser = refusedBy(url.split('?', 1)[0] ?? '');
    if (refuser === 'web server') return discardAndReply(request, badRequestPage());
    if (refuser === 'web firewall') return discardAndReply(request, this.#error(400, 'Bad Request'));
    const target = parseTarget(url);
    if (target === undefined) return this.#error(400, 'The request path is malformed');
    const { segments, query } = target;
    if (announcedBytes(request) > bytesMax(segments)) {
      return discardAndReply(request, sizeError(bytesMax(segments)));
    }
    const route = findRoute(segments);
    if (route === undefined) return this.#error(404, `No static resource ${segments.join('/')}.`);
    if (!allowsMethod(route, method)) {
      return this.#error(405, `Request method '${method}' is not supported`);
    }
    const body = await readBody(request, Math.max(bytesMax(segments), CHUNKED_BYTES_MAX));
    if (body.status === 'aborted') {
      request.destroy();
      return undefined;
    }
    return this.#handlers.answer(route, {
      method,
      query,
      signal,
      body: decodeForm(request, body.bytes.toString('utf8')),
      acceptsJson: (request.headers.accept ?? '').includes('application/json'),
    });
  }

  #error(status: number, message: string): Reply {
    return errorObject(status, message, this.#clock.nowMs());
  }
}

/** The body of a 413 is a JSON string, without a content type. */
function sizeError(limit: number): Reply {
  return { status: 413, body: JSON.stringify(`Payload size exceeds the limit of ${limit} bytes`) };
}

/** A request that is rejected before its body is read. */
async function discardAndReply(request: IncomingMessage, reply: Reply): Promise<Reply> {
  if (announcedBytes(request) > DISCARDED_BYTES_MAX) return { ...reply, close: true };
  await discardBody(request);
  return reply;
}

/** The real server decodes and re-encodes the body of a form, which corrupts JSON (section 8). */
function decodeForm(request: IncomingMessage, body: string): string {
  const isForm = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  return isForm && body !== '' ? new URLSearchParams(body).toString() : body;
}
