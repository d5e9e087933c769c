/**
 * One Transport over several endpoints of one server; `core/failover/endpoint-selection.ts` selects the endpoint. A
 * request uses one endpoint and returns its result, so nothing is sent twice. An endpoint gets readings only
 * after it has accepted the access token. Better endpoints are probed in the background. A provisioning
 * request cannot be repeated, so it is sent only to an endpoint that has just answered a probe.
 */

import { ChildAbortController, DEADLINE, raceAbort } from '../../core/async/abort.ts';
import { AsyncSignal } from '../../core/async/async-signal.ts';
import { logEvent } from '../../core/events/catalogue.ts';
import {
  combinedFailure,
  type EndpointSelection,
  endpointInUse,
  findBetterEndpoint,
  initialSelection,
  isEndpointFailure,
  RETRY_SCHEDULE,
  recordFailure,
  recordSuccess,
} from '../../core/failover/endpoint-selection.ts';
import type { Schedule } from '../../core/failures/backoff.ts';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Failure } from '../../core/failures/failure.ts';
import { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { DownlinkListener, Subscriptions } from '../../core/ports/downlink.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { Random } from '../../core/ports/random.ts';
import type { SoftwareChunk } from '../../core/ports/software-source.ts';
import type { ProvisionRequest, Transport } from '../../core/ports/transport.ts';
import { type EndpointConfig, EndpointPool, type TransportRequest, VerifiedTokens } from './endpoint-pool.ts';

export interface FailoverTimeouts {
  /** An endpoint fails if it does not respond within this time, ms. */
  readonly responseTimeoutMs: number;
  readonly retry: Schedule;
}

export interface FailoverPorts {
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  readonly log: Logger;
  /** Shorter timeouts, for tests. */
  readonly timeouts?: FailoverTimeouts;
}

/** 20 s allows six retransmissions of a CoAP datagram and a slow server (10 s). */
const DEFAULT_TIMEOUTS: FailoverTimeouts = { responseTimeoutMs: 20_000, retry: RETRY_SCHEDULE };
/** A token that no device has, to check that a server responds. Not a secret. */
const UNKNOWN_TOKEN = new Secret('firstlightEndpointCheck');
const VERIFIED: Result<void> = { ok: true, value: undefined };
const NOT_ACCEPTED: Result<void> = {
  ok: false,
  failure: { reason: 'unauthorized', detail: 'this endpoint does not accept the access token' },
};

export class FailoverTransport implements Transport {
  readonly bodyBytesMax = (token: Secret): number => this.#pool.bodyBytesMax(token);
  readonly #pool: EndpointPool;
  readonly #ports: FailoverPorts;
  readonly #timeouts: FailoverTimeouts;
  readonly #verifiedTokens = new VerifiedTokens();
  readonly #closed = new AbortController();
  /** Another endpoint has come into use. */
  readonly #endpointChanges = new AsyncSignal();
  #state: EndpointSelection;
  /** The token check of the next endpoint, shared by all requests that wait for it. */
  #verification: Promise<Result<void>> | undefined;
  /** The token check that runs beside deliveries; at most one at a time. */
  #backgroundCheck: Promise<void> | undefined;

  constructor(endpoints: readonly EndpointConfig[], ports: FailoverPorts) {
    this.#ports = ports;
    this.#timeouts = ports.timeouts ?? DEFAULT_TIMEOUTS;
    this.#pool = new EndpointPool(endpoints, this.#timeouts.responseTimeoutMs, ports.clock);
    this.#state = initialSelection(endpoints.length);
  }

  /** Index of the endpoint in use. */
  get currentEndpoint(): number {
    return this.#state.current;
  }

  async provision(
    request: ProvisionRequest,
    persist: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>> {
    const endpoint = endpointInUse(this.#state);
    const checkReachable: TransportRequest<boolean> = (target, requestSignal) =>
      target.probe(request.token ?? UNKNOWN_TOKEN, requestSignal);
    const reachable = this.#recordResult(
      endpoint,
      await this.#pool.request(endpoint, checkReachable, signal),
    );
    if (!reachable.ok) return reachable;
    const transport = await this.#pool.transport(endpoint);
    const result = this.#recordResult(endpoint, await transport.provision(request, persist, signal));
    if (result.ok) this.#verifiedTokens.add(endpoint, result.value, this.#nowMs());
    return result;
  }

  async probe(token: Secret, signal: AbortSignal): Promise<Result<boolean>> {
    this.#skipUnsuitable(token);
    return this.#checkToken(endpointInUse(this.#state), token, signal);
  }

  postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#post(
      token,
      (transport, requestSignal) => transport.postTelemetry(token, body, requestSignal),
      signal,
    );
  }

  postAttributes(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#post(
      token,
      (transport, requestSignal) => transport.postAttributes(token, body, requestSignal),
      signal,
    );
  }

  /**
   * Listens at the endpoint in use, once it has accepted the token; ends when another one comes into use. Its
   * failures do not select another endpoint: telemetry may work where long polls do not.
   */
  async listen(
    token: Secret,
    subscriptions: Subscriptions,
    listener: DownlinkListener,
    signal: AbortSignal,
  ): Promise<Result<void>> {
    const accepted = await this.#ensureAccepted(token, signal);
    if (!accepted.ok) return accepted;
    const seen = this.#endpointChanges.version;
    const transport = await this.#pool.transport(this.#state.current);
    using listening = new ChildAbortController(signal);
    void this.#endpointChanges.wait(listening.signal, seen).then(() => listening.abort());
    const result = await transport.listen(token, subscriptions, listener, listening.signal);
    listening.abort();
    const isReplaced = this.#endpointChanges.version !== seen && !signal.aborted;
    return isReplaced ? { ok: true, value: undefined } : result;
  }

  async reply(token: Secret, commandId: number, body: string, signal: AbortSignal): Promise<Result<void>> {
    const accepted = await this.#ensureAccepted(token, signal);
    if (!accepted.ok) return accepted;
    const transport = await this.#pool.transport(this.#state.current);
    return transport.reply(token, commandId, body, signal);
  }

  /** Like a reply: its failures do not select another endpoint. */
  async downloadChunk(token: Secret, chunk: SoftwareChunk, signal: AbortSignal): Promise<Result<Uint8Array>> {
    const accepted = await this.#ensureAccepted(token, signal);
    if (!accepted.ok) return accepted;
    const transport = await this.#pool.transport(this.#state.current);
    return transport.downloadChunk(token, chunk, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await Promise.allSettled([this.#backgroundCheck, this.#verification]);
    await this.#pool[Symbol.asyncDispose]();
  }

  async #post(token: Secret, send: TransportRequest<void>, signal: AbortSignal): Promise<Result<void>> {
    this.#skipUnsuitable(token);
    const verification = await this.#ensureVerified(token, signal);
    if (!verification.ok) return verification;
    const endpoint = endpointInUse(this.#state);
    const betterEndpoint = findBetterEndpoint(this.#state, this.#nowMs());
    if (betterEndpoint !== undefined && this.#verifiedTokens.has(endpoint, token))
      this.#checkInBackground(betterEndpoint, token);
    const response = await this.#pool.request(endpoint, send, signal);
    // A deadline of the caller is no failure of the endpoint: an undated reading may have had 50 ms left.
    // Without a correct clock every deadline is short, so check the endpoint separately.
    if (signal.reason === DEADLINE) this.#checkInBackground(endpoint, token);
    if (signal.aborted) return response;
    const result = this.#recordResult(endpoint, response);
    if (result.ok) this.#verifiedTokens.add(endpoint, token, this.#nowMs());
    else if (result.failure.reason === 'unauthorized') this.#verifiedTokens.remove(endpoint);
    return result;
  }

  /** Leaves endpoints that cannot carry the token without a request and a wait. */
  #skipUnsuitable(token: Secret): void {
    for (const _ of this.#pool.urls) {
      const endpoint = endpointInUse(this.#state);
      const failure = this.#pool.tokenFailure(endpoint, token);
      if (!failure) return;
      this.#recordFailure(endpoint, failure);
    }
  }

  /** The endpoint in use is verified already. A candidate comes into use when it has accepted the token. */
  async #ensureVerified(token: Secret, signal: AbortSignal): Promise<Result<void>> {
    if (this.#state.candidate === undefined) return VERIFIED;
    this.#verification ??= this.#verify(this.#state.candidate, token).finally(() => {
      this.#verification = undefined;
    });
    return raceAbort<Result<void>>(this.#verification, aborted(), signal);
  }

  /** Like `#ensureVerified`, and also asks an endpoint in use that has not accepted the token so far. */
  async #ensureAccepted(token: Secret, signal: AbortSignal): Promise<Result<void>> {
    const verification = await this.#ensureVerified(token, signal);
    const { current } = this.#state;
    if (!verification.ok || this.#verifiedTokens.has(current, token)) return verification;
    const check = await this.#checkToken(current, token, signal);
    if (!check.ok) return check;
    return check.value ? VERIFIED : NOT_ACCEPTED;
  }

  async #verify(endpoint: number, token: Secret): Promise<Result<void>> {
    const check = await this.#checkToken(endpoint, token, this.#closed.signal);
    if (!check.ok) return check;
    return check.value ? VERIFIED : NOT_ACCEPTED;
  }

  /**
   * Whether the server accepts the token. If another endpoint has accepted it within a day, "no" is an
   * endpoint failure.
   */
  async #checkToken(endpoint: number, token: Secret, signal: AbortSignal): Promise<Result<boolean>> {
    const result = await this.#pool.request(
      endpoint,
      (transport, requestSignal) => transport.probe(token, requestSignal),
      signal,
    );
    if (result.ok && result.value) this.#verifiedTokens.add(endpoint, token, this.#nowMs());
    else if (result.ok) this.#verifiedTokens.remove(endpoint);
    if (
      result.ok &&
      !result.value &&
      this.#verifiedTokens.isVerifiedElsewhere(endpoint, token, this.#nowMs())
    ) {
      const detail = `${this.#pool.urls[endpoint]} does not accept the access token`;
      return this.#recordResult<boolean>(endpoint, {
        ok: false,
        failure: { reason: 'endpoints-inconsistent', detail },
      });
    }
    // A candidate must accept the token; after any other result the next endpoint is tried.
    const isCandidate = endpoint !== this.#state.current && !result.ok && result.failure.reason !== 'aborted';
    return isCandidate ? this.#recordFailure(endpoint, result.failure) : this.#recordResult(endpoint, result);
  }

  /** One at a time; only the disposal waits for it. */
  #checkInBackground(endpoint: number, token: Secret): void {
    if (this.#closed.signal.aborted) return;
    this.#backgroundCheck ??= this.#checkToken(endpoint, token, this.#closed.signal).then(() => {
      this.#backgroundCheck = undefined;
    });
  }

  /** Keeps the endpoint or selects the next one. */
  #recordResult<T>(endpoint: number, result: Result<T>): Result<T> {
    if (!result.ok && result.failure.reason === 'aborted') return result;
    if (!result.ok && isEndpointFailure(result.failure)) return this.#recordFailure(endpoint, result.failure);
    this.#setState(recordSuccess(this.#state, endpoint, this.#nowMs()));
    return result;
  }

  #recordFailure(endpoint: number, failure: Failure): Result<never> {
    this.#setState(
      recordFailure(this.#state, endpoint, failure, {
        isEncrypted: this.#pool.isEncrypted,
        nowMs: this.#nowMs(),
        random: this.#ports.random.uniform(),
        retry: this.#timeouts.retry,
      }),
    );
    return { ok: false, failure: combinedFailure(this.#state, this.#pool.urls, this.#nowMs()) ?? failure };
  }

  #setState(state: EndpointSelection): void {
    const previous = this.#state;
    this.#state = state;
    if (previous.current === state.current) return;
    this.#endpointChanges.notify();
    const [from, to] = [previous, state].map(({ current }) => this.#pool.urls[current]);
    if (state.current < previous.current)
      return logEvent(this.#ports.log, 'FL-ENDPOINT-RESTORED', { from, to });
    const failure = state.health[previous.current]?.failure;
    logEvent(this.#ports.log, 'FL-ENDPOINT-FAILOVER', {
      from,
      to,
      reason: failure?.reason,
      detail: failure?.detail,
    });
  }

  #nowMs(): number {
    return this.#ports.clock.monotonicMs();
  }
}
