/**
 * The HTTP front door: the device API of contract section 1.2 on node:http.
 *
 * It finds the route, judges size and method, reads the body, and leaves the answer to the handlers. The knobs `dead` and
 * `silent` act here: the first takes nothing in, the second lets nothing out, and neither closes the connection.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type SandboxClock, systemClock } from '../core/clock.ts';
import type { SandboxCore } from '../core/model/types.ts';
import { announcedBytes, CHUNKED_BYTES_MAX, discardBody, readBody } from './body.ts';
import { DeviceHandlers } from './device-handlers.ts';
import { allowsMethod, bytesMax, findRoute } from './device-routes.ts';
import { type HttpListener, listen } from './listener.ts';
import { errorObject, json, type Reply, send } from './reply.ts';
import { parseTarget } from './target.ts';

export interface HttpDeviceApiOptions {
  readonly core: SandboxCore;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly log: (line: string) => void;
  readonly clock?: SandboxClock;
  /** The monolith's asynchronous time-out; default 30 s (contract, section 8). */
  readonly asyncTimeoutMs?: number;
}

const ASYNC_TIMEOUT_MS = 30_000;
/** What the real server still swallows of a body it has refused; of a larger one it closes the connection. */
const SWALLOW_BYTES_MAX = 2 * 1024 * 1024;

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

  /** Undefined when there is nobody left to answer. */
  async #reply(request: IncomingMessage, signal: AbortSignal): Promise<Reply | undefined> {
    const method = request.method ?? '';
    const target = parseTarget(request.url ?? '');
    if (target === undefined) return this.#error(400, 'The request path is malformed');
    const { segments, query } = target;
    if (announcedBytes(request) > bytesMax(segments)) return refuseSize(request, bytesMax(segments));
    const route = findRoute(segments);
    if (route === undefined) return this.#error(404, 'Not found');
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
      body: decodeForm(request, body.text),
      acceptsJson: (request.headers.accept ?? '').includes('application/json'),
    });
  }

  #error(status: number, message: string): Reply {
    return errorObject(status, message, this.#clock.nowMs());
  }
}

/** The body of a 413 is a JSON string. */
async function refuseSize(request: IncomingMessage, limit: number): Promise<Reply> {
  const reply = json(413, JSON.stringify(`Payload size exceeds the limit of ${limit} bytes`));
  if (announcedBytes(request) > SWALLOW_BYTES_MAX) return { ...reply, close: true };
  await discardBody(request);
  return reply;
}

/** A form's body is decoded and encoded again on its way in, which ruins JSON (section 8). */
function decodeForm(request: IncomingMessage, body: string): string {
  const isForm = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  return isForm && body !== '' ? new URLSearchParams(body).toString() : body;
}
