/**
 * The HTTP road: ThingsBoard's device API over HTTP and HTTPS, as the Transport port.
 *
 * Translates between the core's questions and the contract's paths, statuses and bodies (contract sections 1.2, 3, 4, 5 and
 * 8). Provisioning is asked once, on a connection of its own: the server would not repeat its answer, so after any doubt
 * the session asks whether the token it proposed is known. A redirect is followed on the same host, and never out of TLS.
 */

import { isDated } from '../../core/delivery/encode.ts';
import { tell } from '../../core/events/catalogue.ts';
import type { Refusal, Result } from '../../core/failures/failure.ts';
import type { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { ProvisionRequest, Transport } from '../../core/ports/transport.ts';
import { provisionBody } from '../../core/thingsboard.ts';
import { createResolver, type Resolve } from '../resolve.ts';
import { judgePost, judgeProbe, judgeProvision } from './classify-response.ts';
import { type ClientSettings, HttpClient, type HttpRequest } from './client.ts';
import { type Origin, redirectOf, written } from './origin.ts';
import type { HttpAnswer } from './response.ts';

export type HttpSettings = Origin & ClientSettings;

/** How long an answer is waited for to its end, redirects included, ms. */
export interface HttpPatience {
  /** What can be asked again. ThingsBoard gives up by itself after 30 s (contract 8). */
  readonly usualMs: number;
  /** Provisioning: its answer is worth waiting for. */
  readonly singleMs: number;
}

export interface HttpPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Given by tests only; the host's resolver otherwise. */
  readonly resolve?: Resolve;
  /** Given by tests that cannot wait 45 s for a silence. */
  readonly patience?: HttpPatience;
  /** Hears how long the server took to begin its answer, ms, of each request. */
  readonly onRoundTrip?: (roundTripMs: number) => void;
}

const PATIENCE: HttpPatience = { usualMs: 45_000, singleMs: 120_000 };
const REDIRECTS_MAX = 3;
const REDIRECTING: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** "Done, and there is more about it elsewhere" (RFC 9110 section 15.4.4): what may not be done twice ends here. */
const SEE_OTHER = 303;
const ALREADY_DONE: Result<never> = {
  ok: false,
  refusal: { reason: 'redirected', detail: 'answer 303, after which nothing may be asked again' },
};
/** The others say where to ask this once. */
const LASTING: ReadonlySet<number> = new Set([301, 308]);
/** Whoever redirects us to ever other ports is asked with no more connections for it. */
const ORIGINS_MAX = 4;
/** An attribute nobody has: the probe asks for it, so that its answer is small whatever the device holds. */
const PROBE_QUERY = 'clientKeys=firstlightProbe';

type Ask = Omit<HttpRequest, 'patienceMs' | 'sinceMs'>;

export class HttpTransport implements Transport {
  readonly #settings: HttpSettings;
  readonly #ports: HttpPorts & { readonly resolve: Resolve };
  readonly #patience: HttpPatience;
  /** Where requests go: server.url, or where it redirected to for good. */
  #origin: Origin;
  /** One for each origin, the newest `ORIGINS_MAX`. */
  readonly #clients = new Map<string, HttpClient>();

  constructor(settings: HttpSettings, ports: HttpPorts) {
    this.#settings = settings;
    this.#ports = { ...ports, resolve: ports.resolve ?? createResolver() };
    this.#patience = ports.patience ?? PATIENCE;
    this.#origin = { scheme: settings.scheme, host: settings.host, port: settings.port };
  }

  async provision(
    request: ProvisionRequest,
    keep: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>> {
    const result = await this.#request(
      { method: 'POST', path: '/api/v1/provision', body: provisionBody(request), isRepeatable: false },
      this.#patience.singleMs,
      signal,
    );
    if (!result.ok) return result;
    const verdict = judgeProvision(result.value);
    if (verdict.type === 'refused') return { ok: false, refusal: verdict.refusal };
    await keep(verdict.token);
    return { ok: true, value: verdict.token };
  }

  async probe(token: Secret, signal: AbortSignal): Promise<Result<boolean>> {
    const path = `${pathOf(token)}/attributes?${PROBE_QUERY}`;
    const result = await this.#usual({ method: 'GET', path, isRepeatable: true }, signal);
    if (!result.ok) return result;
    const verdict = judgeProbe(result.value);
    return typeof verdict === 'boolean' ? { ok: true, value: verdict } : { ok: false, refusal: verdict };
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

  async #post(ask: Ask, signal: AbortSignal): Promise<Result<void>> {
    const result = await this.#usual(ask, signal);
    if (!result.ok) return result;
    const refusal = judgePost(result.value);
    return refusal ? { ok: false, refusal } : { ok: true, value: undefined };
  }

  #usual(ask: Ask, signal: AbortSignal): Promise<Result<HttpAnswer>> {
    return this.#request(ask, this.#patience.usualMs, signal);
  }

  /** One request; a server that sends us elsewhere has not done what was asked, so it is asked there. */
  async #request(ask: Ask, patienceMs: number, signal: AbortSignal): Promise<Result<HttpAnswer>> {
    const sinceMs = this.#ports.clock.monotonicMs();
    let { path } = ask;
    let origin = this.#origin;
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
      const client = await this.#clientOf(origin);
      const result = await client.request({ ...ask, path, sinceMs, patienceMs }, signal);
      if (!result.ok) this.#comeBackFrom(origin, result.refusal);
      if (!result.ok || !REDIRECTING.has(result.value.status)) return result;
      const redirect = redirectOf(result.value.location, path, origin);
      if (!redirect.ok) return redirect;
      if (result.value.status === SEE_OTHER && !ask.isRepeatable) return ALREADY_DONE;
      ({ path } = redirect.value);
      const isLasting = LASTING.has(result.value.status) || redirect.value.origin.scheme !== origin.scheme;
      ({ origin } = redirect.value);
      if (isLasting) this.#goTo(origin);
    }
    return { ok: false, refusal: { reason: 'redirected', detail: `more than ${REDIRECTS_MAX} redirects` } };
  }

  /** From now on, so that the token is not said in the clear before each redirect to https. */
  #goTo(origin: Origin): void {
    if (written(origin) === written(this.#origin)) return;
    const fields = { from: written(this.#origin), to: written(origin) };
    if (!this.#clients.has(fields.to)) tell(this.#ports.log, 'FL-SERVER-MOVED', fields);
    this.#origin = origin;
  }

  /** Where the server sent us there is nobody any more: server.url is asked again. But never out of TLS. */
  #comeBackFrom(origin: Origin, { reason }: Refusal): void {
    const { scheme, host, port } = this.#settings;
    if (reason === 'aborted' || origin !== this.#origin || scheme !== origin.scheme) return;
    this.#origin = { scheme, host, port };
  }

  async #clientOf(origin: Origin): Promise<HttpClient> {
    const name = written(origin);
    const known = this.#clients.get(name);
    if (known) return known;
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
