/**
 * The HTTP road: ThingsBoard's device API over HTTP and HTTPS, as the Transport port.
 *
 * Translates between the core's questions and the contract's paths, statuses and bodies (contract sections 1.2, 3, 4, 5 and
 * 8). Provisioning is asked once, on a connection of its own: the server would not repeat its answer, so after any doubt
 * the session asks whether the token it proposed is known. A redirect is followed on the same host, and never out of TLS.
 */

import { isDated } from '../../core/delivery/encode.ts';
import { logEvent } from '../../core/events/catalogue.ts';
import type { Failure, Result } from '../../core/failures/failure.ts';
import type { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { ProvisionRequest, Transport } from '../../core/ports/transport.ts';
import { provisionBody } from '../../core/thingsboard.ts';
import { createResolver, type Resolve } from '../resolve.ts';
import { classifyPost, classifyProbe, classifyProvision } from './classify-response.ts';
import { type ClientSettings, HttpClient, type HttpRequest } from './client.ts';
import { formatOrigin, type Origin, resolveRedirect } from './origin.ts';
import type { HttpResponse } from './response.ts';

export type HttpSettings = Origin & ClientSettings;

/** How long an answer is waited for to its end, redirects included, ms. */
export interface HttpTimeouts {
  /** What can be asked again. ThingsBoard gives up by itself after 30 s (contract 8). */
  readonly requestMs: number;
  /** Provisioning: its answer is worth waiting for. */
  readonly provisioningMs: number;
}

export interface HttpPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Given by tests only; the host's resolver otherwise. */
  readonly resolve?: Resolve;
  /** Given by tests that cannot wait 45 s for a silence. */
  readonly timeouts?: HttpTimeouts;
  /** Hears how long the server took to begin its answer, ms, of each request. */
  readonly onRoundTrip?: (roundTripMs: number) => void;
}

const DEFAULT_TIMEOUTS: HttpTimeouts = { requestMs: 45_000, provisioningMs: 120_000 };
const REDIRECTS_MAX = 3;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** "Done, and there is more about it elsewhere" (RFC 9110 section 15.4.4): what may not be done twice ends here. */
const SEE_OTHER = 303;
const SEE_OTHER_FAILURE: Result<never> = {
  ok: false,
  failure: { reason: 'redirect-not-followed', detail: 'answer 303, after which nothing may be asked again' },
};
/** The others say where to ask this once. */
const PERMANENT_STATUSES: ReadonlySet<number> = new Set([301, 308]);
/** Whoever redirects us to ever other ports is asked with no more connections for it. */
const ORIGINS_MAX = 4;
/** An attribute nobody has: the probe asks for it, so that its answer is small whatever the device holds. */
const PROBE_QUERY = 'clientKeys=firstlightProbe';

type RequestTemplate = Omit<HttpRequest, 'timeoutMs' | 'startedMs'>;

export class HttpTransport implements Transport {
  readonly #settings: HttpSettings;
  readonly #ports: HttpPorts & { readonly resolve: Resolve };
  readonly #timeouts: HttpTimeouts;
  /** Where requests go: server.url, or where it redirected to for good. */
  #origin: Origin;
  /** One for each origin, the newest `ORIGINS_MAX`. */
  readonly #clients = new Map<string, HttpClient>();

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
    const path = `${pathOf(token)}/attributes?${PROBE_QUERY}`;
    const result = await this.#requestOrdinary({ method: 'GET', path, isRepeatable: true }, signal);
    if (!result.ok) return result;
    const classified = classifyProbe(result.value);
    return typeof classified === 'boolean'
      ? { ok: true, value: classified }
      : { ok: false, failure: classified };
  }

  postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    const path = `${pathOf(token)}/telemetry`;
    return this.#post({ method: 'POST', path, body, isRepeatable: isDated(body) }, signal);
  }

  postAttributes(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    const path = `${pathOf(token)}/attributes`;
    return this.#post({ method: 'POST', path, body, isRepeatable: true }, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.values()) await client[Symbol.asyncDispose]();
  }

  async #post(template: RequestTemplate, signal: AbortSignal): Promise<Result<void>> {
    const result = await this.#requestOrdinary(template, signal);
    if (!result.ok) return result;
    const failure = classifyPost(result.value);
    return failure ? { ok: false, failure } : { ok: true, value: undefined };
  }

  #requestOrdinary(template: RequestTemplate, signal: AbortSignal): Promise<Result<HttpResponse>> {
    return this.#request(template, this.#timeouts.requestMs, signal);
  }

  /** One request; a server that sends us elsewhere has not done what was asked, so it is asked there. */
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

  /** From now on, so that the token is not said in the clear before each redirect to https. */
  #setOrigin(origin: Origin): void {
    if (formatOrigin(origin) === formatOrigin(this.#origin)) return;
    const fields = { from: formatOrigin(this.#origin), to: formatOrigin(origin) };
    if (!this.#clients.has(fields.to)) logEvent(this.#ports.log, 'FL-SERVER-REDIRECTED', fields);
    this.#origin = origin;
  }

  /** Where the server sent us there is nobody any more: server.url is asked again. But never out of TLS. */
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

/** The token is a segment of the path; what a URL gives a meaning is escaped, and the server reads it back. */
function pathOf(token: Secret): string {
  return `/api/v1/${encodeURIComponent(token.reveal())}`;
}
