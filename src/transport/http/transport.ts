/**
 * ThingsBoard's device API over HTTP and HTTPS as the Transport port (contract sections 1.2, 3, 4, 5 and 8).
 * A provisioning request is sent once, on a new connection: the server does not repeat its response, so after
 * a failure the session probes the proposed token. Redirects are followed on the same host and never from
 * https to http.
 */

import { AsyncSignal } from '../../core/async/async-signal.ts';
import { Semaphore } from '../../core/async/semaphore.ts';
import { BODY_BYTES_MAX, isDated } from '../../core/delivery/encode.ts';
import { logEvent } from '../../core/events/catalogue.ts';
import { aborted, type Failure, type Result } from '../../core/failures/failure.ts';
import { httpObstacle } from '../../core/model/access-token.ts';
import type { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { DownlinkListener, Subscriptions } from '../../core/ports/downlink.ts';
import type { Logger } from '../../core/ports/log.ts';
import { CHUNK_BYTES, type SoftwareChunk } from '../../core/ports/software-source.ts';
import type { ProvisionRequest, Transport } from '../../core/ports/transport.ts';
import { provisionBody } from '../../core/thingsboard.ts';
import { replyFailure } from '../downlink-messages.ts';
import { createResolver, type Resolve } from '../resolve.ts';
import { confirmUnauthorized, probeResult, unsuitableToken } from '../token-checks.ts';
import {
  classifyError,
  classifyIdentification,
  classifyPost,
  classifyProbe,
  classifyProvision,
} from './classify-response.ts';
import { type ClientSettings, HttpClient, type HttpRequest } from './client.ts';
import { LongPolls, POLL_INTERVALS, type PollIntervals, type PollRequest } from './long-polls.ts';
import { formatOrigin, type Origin, resolveRedirect } from './origin.ts';
import type { HttpResponse } from './response.ts';

export type HttpSettings = Origin & ClientSettings;

/** From the start of a request to the end of its response, including redirects, ms. */
export interface HttpTimeouts {
  /** ThingsBoard's own timeout is 30 s (contract section 8). */
  readonly requestMs: number;
  /** Longer, because a provisioning request cannot be repeated. */
  readonly provisioningMs: number;
}

export interface HttpPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** For tests; default: the resolver of the host. */
  readonly resolve?: Resolve;
  /** Shorter timeouts, for tests. */
  readonly timeouts?: HttpTimeouts;
  /** Shorter intervals of long polls, for tests. */
  readonly polls?: PollIntervals;
  /** Called with the response time of each request, ms. */
  readonly onRoundTrip?: (roundTripMs: number) => void;
}

const DEFAULT_TIMEOUTS: HttpTimeouts = { requestMs: 45_000, provisioningMs: 120_000 };
const REDIRECTS_MAX = 3;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/**
 * The server has handled the request (RFC 9110 section 15.4.4), so one that is not repeatable must not be
 * sent again.
 */
const SEE_OTHER = 303;
const SEE_OTHER_FAILURE: Result<never> = {
  ok: false,
  failure: { reason: 'redirect-not-followed', detail: 'response 303 to a request that must not be repeated' },
};
/** Other redirects apply to one request only. */
const PERMANENT_STATUSES: ReadonlySet<number> = new Set([301, 308]);
/** Limits the connections if a server redirects to more and more ports. */
const ORIGINS_MAX = 4;
/** An attribute that no device has, so that the response to a probe is small. */
const PROBE_QUERY = 'clientKeys=firstlightProbe';

/** Of a software package; what the default limit of a response admits. */
const SOFTWARE_CHUNK_BYTES = 16 * CHUNK_BYTES;

type RequestTemplate = Omit<HttpRequest, 'timeoutMs' | 'startedMs'>;

/** Contains no token and changes nothing; see `classifyIdentification`. */
const IDENTIFICATION: RequestTemplate = { method: 'GET', path: '/api/v1/provision', isRepeatable: true };

export class HttpTransport implements Transport {
  readonly #settings: HttpSettings;
  readonly #ports: HttpPorts & { readonly resolve: Resolve };
  readonly #timeouts: HttpTimeouts;
  /** The origin of the configured URL, or of its permanent redirect. */
  #origin: Origin;
  /** One per origin; the newest `ORIGINS_MAX`. */
  readonly #clients = new Map<string, HttpClient>();
  /** Reads of attributes and replies: one at a time, as the connection pool expects. */
  readonly #downlinkRequests = new Semaphore(1);
  readonly #replies = new AsyncSignal();

  constructor(settings: HttpSettings, ports: HttpPorts) {
    this.#settings = settings;
    this.#ports = { ...ports, resolve: ports.resolve ?? createResolver() };
    this.#timeouts = ports.timeouts ?? DEFAULT_TIMEOUTS;
    this.#origin = { scheme: settings.scheme, host: settings.host, port: settings.port };
  }

  async provision(
    request: ProvisionRequest,
    persist: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>> {
    const result = await this.#request(
      { method: 'POST', path: '/api/v1/provision', body: provisionBody(request), isRepeatable: false },
      this.#timeouts.provisioningMs,
      signal,
    );
    if (!result.ok) return result;
    const parsed = classifyProvision(result.value);
    if (parsed.type === 'failed') return { ok: false, failure: parsed.failure };
    await persist(parsed.token);
    return { ok: true, value: parsed.token };
  }

  async probe(token: Secret, signal: AbortSignal): Promise<Result<boolean>> {
    const unsuitable = unsuitableToken(token, httpObstacle);
    if (unsuitable) return { ok: false, failure: unsuitable };
    const path = `${pathOf(token)}/attributes?${PROBE_QUERY}`;
    const result = await this.#requestOrdinary({ method: 'GET', path, isRepeatable: true }, signal);
    if (!result.ok) return result;
    return probeResult(
      classifyProbe(result.value),
      () => this.#requestOrdinary(IDENTIFICATION, signal),
      classifyIdentification,
    );
  }

  bodyBytesMax(): number {
    return BODY_BYTES_MAX;
  }

  postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#post(token, 'telemetry', body, isDated(body), signal);
  }

  postAttributes(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#post(token, 'attributes', body, true, signal);
  }

  listen(
    token: Secret,
    subscriptions: Subscriptions,
    listener: DownlinkListener,
    signal: AbortSignal,
  ): Promise<Result<void>> {
    const { clock, log, polls: intervals = POLL_INTERVALS } = this.#ports;
    const get = (request: PollRequest, pollSignal: AbortSignal) => this.#get(token, request, pollSignal);
    return new LongPolls(subscriptions, listener, {
      clock,
      log,
      intervals,
      replies: this.#replies,
      get,
    }).run(signal);
  }

  async reply(token: Secret, commandId: number, body: string, signal: AbortSignal): Promise<Result<void>> {
    const failure = replyFailure(body);
    if (failure) return { ok: false, failure };
    const post = () => this.#post(token, `rpc/${commandId}`, body, true, signal);
    const result = (await this.#downlinkRequests.run(post, signal)) ?? aborted();
    if (result.ok) this.#replies.notify();
    return result;
  }

  async downloadChunk(
    token: Secret,
    { title, version, offset }: SoftwareChunk,
    signal: AbortSignal,
  ): Promise<Result<Uint8Array>> {
    // A download that began over CoAP goes on with small chunks until a large one can begin.
    const size = offset % SOFTWARE_CHUNK_BYTES === 0 ? SOFTWARE_CHUNK_BYTES : CHUNK_BYTES;
    const query = new URLSearchParams({ title, version, size: `${size}`, chunk: `${offset / size}` });
    const request = { path: `software?${query}`, isPoll: false, responseBytesMax: SOFTWARE_CHUNK_BYTES };
    const result = await this.#get(token, request, signal);
    if (!result.ok) return result;
    const { status, bytes, isTruncated } = result.value;
    if (status === 200 && !isTruncated && bytes.length > 0) return { ok: true, value: bytes };
    // Not a firewall: the server assigns another version now (contract section 7).
    if (status === 400)
      return { ok: false, failure: { reason: 'request-malformed', detail: 'another version is assigned' } };
    return { ok: false, failure: classifyError(result.value) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) await client[Symbol.asyncDispose]();
  }

  async #post(
    token: Secret,
    feature: 'telemetry' | 'attributes' | `rpc/${number}`,
    body: string,
    isRepeatable: boolean,
    signal: AbortSignal,
  ): Promise<Result<void>> {
    const unsuitable = unsuitableToken(token, httpObstacle);
    if (unsuitable) return { ok: false, failure: unsuitable };
    const path = `${pathOf(token)}/${feature}`;
    const result = await this.#requestOrdinary({ method: 'POST', path, body, isRepeatable }, signal);
    if (!result.ok) return result;
    const failure = classifyPost(result.value);
    if (!failure) return { ok: true, value: undefined };
    return { ok: false, failure: await confirmUnauthorized(failure, () => this.probe(token, signal)) };
  }

  async #get(token: Secret, request: PollRequest, signal: AbortSignal): Promise<Result<HttpResponse>> {
    const { path, timeoutMs = this.#timeouts.requestMs, ...template } = request;
    const send = () =>
      this.#request(
        { ...template, method: 'GET', path: `${pathOf(token)}/${path}`, isRepeatable: true },
        timeoutMs,
        signal,
      );
    if (request.isPoll) return send();
    return (await this.#downlinkRequests.run(send, signal)) ?? aborted();
  }

  #requestOrdinary(template: RequestTemplate, signal: AbortSignal): Promise<Result<HttpResponse>> {
    return this.#request(template, this.#timeouts.requestMs, signal);
  }

  /** Sends one request and follows redirects: a server that redirects has not handled the request. */
  async #request(
    template: RequestTemplate,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Result<HttpResponse>> {
    const startedMs = this.#ports.clock.monotonicMs();
    let { path } = template;
    let origin = this.#origin;
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
      const client = await this.#clientOf(origin);
      const result = await client.request({ ...template, path, startedMs, timeoutMs }, signal);
      if (!result.ok) this.#restoreOrigin(origin, result.failure);
      if (!result.ok || !REDIRECT_STATUSES.has(result.value.status)) return result;
      const redirect = resolveRedirect(result.value.location, path, origin);
      if (!redirect.ok) return redirect;
      if (result.value.status === SEE_OTHER && !template.isRepeatable) return SEE_OTHER_FAILURE;
      ({ path } = redirect.value);
      const isPermanent =
        PERMANENT_STATUSES.has(result.value.status) || redirect.value.origin.scheme !== origin.scheme;
      ({ origin } = redirect.value);
      if (isPermanent) this.#setOrigin(origin);
    }
    return {
      ok: false,
      failure: { reason: 'redirect-not-followed', detail: `more than ${REDIRECTS_MAX} redirects` },
    };
  }

  /** For all later requests, so that the token is not sent unencrypted before each redirect to https. */
  #setOrigin(origin: Origin): void {
    if (formatOrigin(origin) === formatOrigin(this.#origin)) return;
    const fields = { from: formatOrigin(this.#origin), to: formatOrigin(origin) };
    if (!this.#clients.has(fields.to)) logEvent(this.#ports.log, 'FL-SERVER-REDIRECTED', fields);
    this.#origin = origin;
  }

  /** If the redirect target fails, the configured URL is used again, unless that would leave TLS. */
  #restoreOrigin(origin: Origin, { reason }: Failure): void {
    const { scheme, host, port } = this.#settings;
    if (reason === 'aborted' || origin !== this.#origin || scheme !== origin.scheme) return;
    this.#origin = { scheme, host, port };
  }

  async #clientOf(origin: Origin): Promise<HttpClient> {
    const name = formatOrigin(origin);
    const existing = this.#clients.get(name);
    if (existing) return existing;
    const client = new HttpClient(origin, this.#settings, this.#ports);
    this.#clients.set(name, client);
    const [oldest] = this.#clients;
    if (oldest && this.#clients.size > ORIGINS_MAX) {
      this.#clients.delete(oldest[0]);
      await oldest[1][Symbol.asyncDispose]();
    }
    return client;
  }
}

/** The token is one path segment, percent-encoded. */
function pathOf(token: Secret): string {
  return `/api/v1/${encodeURIComponent(token.reveal())}`;
}
