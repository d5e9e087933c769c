/**
 * The response of each path of the HTTP device API (contract sections 3.2, 4.1, 5, 6, 7, 8), from the core's
 * answer. Body and parameters are checked before the token, like the argument binding of the real controller.
 * A `silent` answer becomes 503 after the asynchronous timeout.
 */

import type { SandboxClock } from '../core/clock.ts';
import type { DeviceHandle, PackageType, PostAnswer, SandboxCore } from '../core/model/types.ts';
import type { DeviceRoute } from './device-routes.ts';
import { asyncTimedOut, pollDevice } from './long-poll.ts';
import { BINARY_TYPE, empty, errorObject, json, type Reply, TEXT_TYPE, text } from './reply.ts';

export interface DeviceCall {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly body: string;
  /** The client accepts JSON, which changes the content type of a provisioning response. */
  readonly acceptsJson: boolean;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
}

export interface HandlerOptions {
  readonly core: SandboxCore;
  readonly clock: SandboxClock;
  readonly asyncTimeoutMs: number;
}

const POLL_TIMEOUT_MS = 60_000;
const INTEGER = /^-?[0-9]{1,10}$/;

export class DeviceHandlers {
  readonly #core: SandboxCore;
  readonly #clock: SandboxClock;
  readonly #asyncTimeoutMs: number;

  constructor({ core, clock, asyncTimeoutMs }: HandlerOptions) {
    this.#core = core;
    this.#clock = clock;
    this.#asyncTimeoutMs = asyncTimeoutMs;
  }

  async answer(route: DeviceRoute, call: DeviceCall): Promise<Reply> {
    const problem = findBadRequest(route, call);
    if (problem !== undefined) return errorObject(400, problem, this.#clock.nowMs());
    if (route.to === 'provision') return this.#provision(call);
    const check = await this.#core.checkToken(route.token);
    if (check.status === 'unauthorized') return empty(401);
    if (check.status === 'unavailable') return empty(500);
    return this.#answerDevice(route, check.device, call);
  }

  async #answerDevice(
    route: Exclude<DeviceRoute, { to: 'provision' }>,
    device: DeviceHandle,
    call: DeviceCall,
  ): Promise<Reply> {
    const { body } = call;
    switch (route.to) {
      case 'telemetry':
        return this.#post(this.#core.telemetry(device, body, 'http'), call);
      case 'attributes':
        if (call.method === 'GET') return this.#readAttributes(device, call);
        return this.#post(this.#core.publishAttributes(device, body, 'http'), call);
      case 'updates':
        return this.#poll(device, 'sharedAttributes', call);
      case 'rpc':
        if (call.method === 'GET') return this.#poll(device, 'rpc', call);
        return this.#post(this.#core.clientRpc(device, body, 'http'), call);
      case 'rpc-reply':
        return this.#post(this.#core.rpcReply(device, Number(route.id), body, 'http'), call);
      case 'claim':
        return this.#post(this.#core.claim(device, body, 'http'), call);
      case 'package':
        return this.#package(device, route.type, call);
    }
  }

  async #provision({ body, acceptsJson }: DeviceCall): Promise<Reply> {
    const answer = await this.#core.provision(body, 'http');
    switch (answer.status) {
      case 'answered':
        return acceptsJson
          ? json(200, answer.json)
          : { status: 200, body: answer.json, contentType: TEXT_TYPE };
      case 'malformed':
        return errorObject(500, answer.message, this.#clock.nowMs());
      case 'unavailable':
        return empty(500);
    }
  }

  async #post(answerPromise: Promise<PostAnswer>, { signal }: DeviceCall): Promise<Reply> {
    const answer = await answerPromise;
    switch (answer.status) {
      case 'accepted':
        return empty(200);
      case 'malformed':
        return text(500, answer.message);
      case 'failed':
        return empty(500);
      case 'silent':
        return this.#timeOut(signal);
    }
  }

  async #readAttributes(device: DeviceHandle, { query, signal }: DeviceCall): Promise<Reply> {
    const answer = await this.#core.readAttributes(device, {
      ...keyList('clientKeys', query),
      ...keyList('sharedKeys', query),
    });
    switch (answer.status) {
      case 'found':
        return json(200, answer.json);
      case 'nothing':
        return json(200, '{}');
      // The server does not answer a rate-limited read over HTTP (section 5).
      case 'failed':
      case 'silent':
        return this.#timeOut(signal);
    }
  }

  async #package(device: DeviceHandle, type: PackageType, { query, signal }: DeviceCall): Promise<Reply> {
    const answer = await this.#core.readPackage(device, {
      type,
      title: query.get('title') ?? '',
      version: query.get('version') ?? '',
      size: Number(query.get('size') ?? 0),
      chunk: Number(query.get('chunk') ?? 0),
    });
    switch (answer.status) {
      case 'found': {
        const { data, fileName } = answer;
        const headers = { 'Content-Disposition': `attachment;filename=${fileName}`, 'x-filename': fileName };
        return { status: 200, body: data, contentType: BINARY_TYPE, headers };
      }
      case 'mismatch':
        return empty(400);
      case 'none':
        return empty(404);
      case 'failed':
        return empty(500);
      case 'silent':
        return this.#timeOut(signal);
    }
  }

  #poll(device: DeviceHandle, feature: 'sharedAttributes' | 'rpc', call: DeviceCall): Promise<Reply> {
    // Zero means the default.
    const timeoutMs = Number(call.query.get('timeout') ?? 0) || POLL_TIMEOUT_MS;
    const poll = { feature, timeoutMs, asyncTimeoutMs: this.#asyncTimeoutMs, signal: call.signal };
    return pollDevice(this.#core, device, poll, this.#clock);
  }

  async #timeOut(signal: AbortSignal): Promise<Reply> {
    await this.#clock.sleep(this.#asyncTimeoutMs, signal);
    return asyncTimedOut(this.#clock);
  }
}

/** What the argument binding of the real controller rejects with 400, before it checks the token. */
function findBadRequest(route: DeviceRoute, { method, query, body }: DeviceCall): string | undefined {
  if (route.to === 'package') {
    const missing = ['title', 'version'].find((name) => !query.has(name));
    if (missing !== undefined) {
      return `Required request parameter '${missing}' for method parameter type String is not present`;
    }
    const wrong = ['size', 'chunk'].find((name) => !INTEGER.test(query.get(name) ?? '0'));
    return wrong && `Invalid value for '${wrong}': ${query.get(wrong)}`;
  }
  if (method === 'GET') {
    const timeout = query.get('timeout') ?? '0';
    const isPoll = route.to === 'rpc' || route.to === 'updates';
    return isPoll && !/^[0-9]{1,15}$/.test(timeout) ? `Invalid value for 'timeout': ${timeout}` : undefined;
  }
  if (route.to === 'rpc-reply' && !INTEGER.test(route.id)) return `Invalid request id: ${route.id}`;
  return body === '' && route.to !== 'claim' ? 'Required request body is missing' : undefined;
}

/** Splits keys at commas; an empty list counts as absent. */
function keyList<Name extends string>(
  name: Name,
  query: URLSearchParams,
): { [key in Name]?: readonly string[] } {
  const list = query.getAll(name).join(',');
  const lists: { [key in Name]?: readonly string[] } = {};
  if (list !== '') lists[name] = list.split(',');
  return lists;
}
