/**
 * ThingsBoard's CoAP device API as the Transport port: paths, codes and bodies of contract sections 1.1, 3, 4, 5
 * and 6. Every request ends with one result within the timeout of its retransmission policy.
 */

import type { Result } from '../../core/failures/failure.ts';
import { coapObstacle } from '../../core/model/access-token.ts';
import type { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { DownlinkListener, Subscriptions } from '../../core/ports/downlink.ts';
import type { Random } from '../../core/ports/random.ts';
import { CHUNK_BYTES, type SoftwareChunk } from '../../core/ports/software-source.ts';
import type { ProvisionRequest, Transport } from '../../core/ports/transport.ts';
import { provisionBody } from '../../core/thingsboard.ts';
import { confirmUnauthorized, probeResult, unsuitableToken } from '../token-checks.ts';
import {
  abortToTimeout,
  classifyError,
  classifyIdentification,
  classifyPost,
  classifyProbe,
  classifyProvision,
} from './classify-response.ts';
import type { CoapClient, CoapRequest, CoapResponse } from './client.ts';
import { CoapConnection, type CoapConnectionPorts } from './connection.ts';
import { CoapDownlink, type CoapDownlinkPorts } from './downlink.ts';
import {
  type RetransmissionTiming,
  type RetransmitPolicy,
  retransmissionTiming,
} from './retransmission-timing.ts';

export interface CoapSettings {
  readonly host: string;
  readonly port: number;
}

export interface CoapPorts extends CoapConnectionPorts, Pick<CoapDownlinkPorts, 'log' | 'renewals'> {
  readonly random: Pick<Random, 'uniform'>;
  /** Shorter timing, for tests; default: `retransmissionTiming`. */
  readonly timingOf?: (policy: RetransmitPolicy, rtoMs: number) => RetransmissionTiming;
}

/** Contains no token and changes nothing; see `classifyIdentification`. */
const IDENTIFICATION: CoapRequest = { method: 'GET', path: ['api', 'v1', 'provision'], policy: 'retryable' };
/** An attribute that no device has, so that the response to a probe is small. */
const PROBE_QUERY = 'clientKeys=firstlightProbe';

export class CoapTransport implements Transport {
  readonly #connection: CoapConnection;
  readonly #clock: Clock;
  readonly #timingOf: (policy: RetransmitPolicy, rtoMs: number) => RetransmissionTiming;
  readonly #downlink: CoapDownlink;
  #lastSuccessMs = Number.NEGATIVE_INFINITY;

  constructor(settings: CoapSettings, ports: CoapPorts) {
    this.#connection = new CoapConnection(settings.host, settings.port, ports, (client, signal) =>
      this.#send(client, IDENTIFICATION, signal),
    );
    this.#clock = ports.clock;
    this.#timingOf =
      ports.timingOf ?? ((policy, rtoMs) => retransmissionTiming(policy, ports.random.uniform(), rtoMs));
    this.#downlink = new CoapDownlink(this.#connection, {
      ...ports,
      timingOf: this.#timingOf,
      lastSuccessMs: () => this.#lastSuccessMs,
    });
  }

  async provision(
    request: ProvisionRequest,
    persist: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>> {
    const result = await this.#request(
      {
        method: 'POST',
        path: ['api', 'v1', 'provision'],
        body: provisionBody(request),
        // A pre-provisioned profile ignores the proposed token: then only this response contains the token.
        policy: 'once',
        deferAcknowledgement: true,
      },
      signal,
    );
    if (!result.ok) return result;
    const parsed = classifyProvision(result.value);
    if (parsed.type === 'token-issued') await persist(parsed.token);
    result.value.acknowledge();
    return parsed.type === 'token-issued'
      ? { ok: true, value: parsed.token }
      : { ok: false, failure: parsed.failure };
  }

  async probe(token: Secret, signal: AbortSignal): Promise<Result<boolean>> {
    const unsuitable = unsuitableToken(token, coapObstacle);
    if (unsuitable) return { ok: false, failure: unsuitable };
    const path = ['api', 'v1', token.reveal(), 'attributes'];
    const result = await this.#request(
      { method: 'GET', path, query: PROBE_QUERY, policy: 'retryable' },
      signal,
    );
    if (!result.ok) return result;
    return probeResult(
      classifyProbe(result.value),
      () => this.#request(IDENTIFICATION, signal),
      classifyIdentification,
    );
  }

  postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#post(token, 'telemetry', body, signal);
  }

  postAttributes(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#post(token, 'attributes', body, signal);
  }

  listen(
    token: Secret,
    subscriptions: Subscriptions,
    listener: DownlinkListener,
    signal: AbortSignal,
  ): Promise<Result<void>> {
    return this.#downlink.listen(token, subscriptions, listener, signal);
  }

  reply(token: Secret, commandId: number, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#downlink.reply(token, commandId, body, signal);
  }

  /** By the query, without block-wise transfer; the server acknowledges at once and responds later (contract section 14). */
  async downloadChunk(
    token: Secret,
    { title, version, offset }: SoftwareChunk,
    signal: AbortSignal,
  ): Promise<Result<Uint8Array>> {
    const query = `title=${title}&version=${version}&size=${CHUNK_BYTES}&chunk=${offset / CHUNK_BYTES}`;
    const path = ['sw', token.reveal()];
    const result = await this.#request({ method: 'GET', path, query, policy: 'retryable' }, signal);
    if (!result.ok) return result;
    const { code, body, isComplete } = result.value;
    if (code === '2.05' && isComplete && body.length > 0) return { ok: true, value: body };
    return { ok: false, failure: classifyError(result.value) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }

  async #post(token: Secret, feature: string, body: string, signal: AbortSignal): Promise<Result<void>> {
    const unsuitable = unsuitableToken(token, coapObstacle);
    if (unsuitable) return { ok: false, failure: unsuitable };
    const path = ['api', 'v1', token.reveal(), feature];
    const result = await this.#request({ method: 'POST', path, body, policy: 'retryable' }, signal);
    if (!result.ok) return result;
    const failure = classifyPost(result.value);
    if (!failure) return { ok: true, value: undefined };
    return { ok: false, failure: await confirmUnauthorized(failure, () => this.probe(token, signal)) };
  }

  /** If the address in use becomes unreachable, another address of the name is tried at once. */
  async #request(request: CoapRequest, signal: AbortSignal): Promise<Result<CoapResponse>> {
    const first = await this.#connection.client(signal);
    const result = await this.#requestOver(first, request, signal);
    if (!first.ok || result.ok || this.#connection.addressCount === 1) return result;
    const { reason } = result.failure;
    if (reason !== 'port-closed' && reason !== 'no-route') return result;
    return this.#requestOver(await this.#connection.client(signal), request, signal);
  }

  async #requestOver(
    client: Result<CoapClient>,
    request: CoapRequest,
    signal: AbortSignal,
  ): Promise<Result<CoapResponse>> {
    const response = client.ok ? await this.#send(client.value, request, signal) : client;
    const result = abortToTimeout(response, signal);
    this.#connection.reportResult(result.ok ? undefined : result.failure);
    if (result.ok) this.#lastSuccessMs = this.#clock.monotonicMs();
    return result;
  }

  #send(client: CoapClient, request: CoapRequest, signal: AbortSignal): Promise<Result<CoapResponse>> {
    const rtoMs = client.rtoEstimator.rtoMs(this.#clock.monotonicMs());
    return client.request(request, this.#timingOf(request.policy, rtoMs), signal);
  }
}
