/**
 * ThingsBoard's CoAP device API as the Transport port: paths, codes and bodies of contract sections 1.1, 3, 4, 5
 * and 6. Every request ends with one result within the timeout of its retransmission policy.
 */

import { BODY_BYTES_MAX, coapBodyBytesMax, isDated } from '../../core/delivery/encode.ts';
import type { Failure, Result } from '../../core/failures/failure.ts';
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
import type { CoapClient, CoapResponse } from './client.ts';
import { CoapConnection, type CoapConnectionPorts } from './connection.ts';
import { CoapDownlink, type CoapDownlinkPorts } from './downlink.ts';
import type { CoapRequest } from './library-requests.ts';
import {
  type RetransmissionTiming,
  type RetransmitPolicy,
  retransmissionTiming,
} from './retransmission-timing.ts';

export interface CoapSettings {
  readonly host: string;
  readonly port: number;
  /** Over DTLS. Absent: unencrypted. */
  readonly dtls?: DtlsLimits;
}

/** What differs over DTLS. */
export interface DtlsLimits {
  /** The server drops longer messages without a word. */
  readonly messageBytesMax: number;
  /** The client certificate is the credentials of the device: no path contains a token (contract section 9). */
  readonly isCertificateDevice: boolean;
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
/** The largest block that fits a message over DTLS with its options. */
const DTLS_BLOCK_BYTES_MAX = 512;

const UNKNOWN_CERTIFICATE: Failure = {
  reason: 'client-certificate-rejected',
  detail: 'response 4.01: no device has this client certificate as its credentials',
};
const NO_SOFTWARE: Result<never> = {
  ok: false,
  failure: {
    reason: 'request-build-failed',
    detail: 'ThingsBoard sends software over CoAP only to devices with an access token',
  },
};

export class CoapTransport implements Transport {
  readonly #connection: CoapConnection;
  readonly #clock: Clock;
  readonly #timingOf: (policy: RetransmitPolicy, rtoMs: number) => RetransmissionTiming;
  readonly #downlink: CoapDownlink;
  readonly #dtls: DtlsLimits | undefined;
  #lastSuccessMs = Number.NEGATIVE_INFINITY;

  constructor(settings: CoapSettings, ports: CoapPorts) {
    this.#connection = new CoapConnection(settings.host, settings.port, ports, (client, signal) =>
      this.#send(client, IDENTIFICATION, signal),
    );
    this.#dtls = settings.dtls;
    this.#clock = ports.clock;
    this.#timingOf =
      ports.timingOf ?? ((policy, rtoMs) => retransmissionTiming(policy, ports.random.uniform(), rtoMs));
    this.#downlink = new CoapDownlink(this.#connection, {
      ...ports,
      timingOf: this.#timingOf,
      lastSuccessMs: () => this.#lastSuccessMs,
      devicePath: (token) => this.#devicePath(token),
      ...(settings.dtls && { blockBytesMax: DTLS_BLOCK_BYTES_MAX }),
    });
  }

  async provision(
    request: ProvisionRequest,
    persist: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>> {
    // The server replays its response only on the link that the request came on, so that one must work.
    const client = await this.#connection.client(signal);
    const isConfirmed = !client.ok || client.value.messageLayer.isConfirmed;
    const answered = isConfirmed ? undefined : await this.#request(IDENTIFICATION, signal);
    if (answered?.ok === false) return answered;
    const result = await this.#request(
      {
        method: 'POST',
        path: ['api', 'v1', 'provision'],
        body: provisionBody(request),
        // A pre-provisioned profile ignores the proposed token: then only this response contains the token.
        policy: 'once',
        isIdempotent: false,
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
    const path = [...this.#devicePath(token), 'attributes'];
    const result = await this.#request(
      { method: 'GET', path, query: PROBE_QUERY, policy: 'retryable' },
      signal,
    );
    if (!result.ok) return result;
    const accepted = await probeResult(
      classifyProbe(result.value),
      () => this.#request(IDENTIFICATION, signal),
      classifyIdentification,
    );
    const isUnknown = accepted.ok && !accepted.value && this.#dtls?.isCertificateDevice === true;
    return isUnknown ? { ok: false, failure: UNKNOWN_CERTIFICATE } : accepted;
  }

  bodyBytesMax(token: Secret): number {
    if (!this.#dtls) return BODY_BYTES_MAX;
    const { messageBytesMax, isCertificateDevice } = this.#dtls;
    return coapBodyBytesMax(messageBytesMax, isCertificateDevice ? undefined : token);
  }

  postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    // Without a timestamp a repetition is a second point (trap 9).
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
    if (this.#dtls?.isCertificateDevice) return NO_SOFTWARE;
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

  async #post(
    token: Secret,
    feature: string,
    body: string,
    isIdempotent: boolean,
    signal: AbortSignal,
  ): Promise<Result<void>> {
    const unsuitable = unsuitableToken(token, coapObstacle);
    if (unsuitable) return { ok: false, failure: unsuitable };
    const path = [...this.#devicePath(token), feature];
    // Two datagrams instead of three: a confirmable request gets a confirmable response, which must be acknowledged.
    const post = { path, body, isIdempotent, isNonConfirmable: isIdempotent };
    const result = await this.#exchange(
      (client) => client.post(post, this.#timing(client, 'retryable'), signal),
      signal,
    );
    if (!result.ok) return result;
    const failure = classifyPost(result.value);
    if (!failure) return { ok: true, value: undefined };
    return { ok: false, failure: await confirmUnauthorized(failure, () => this.probe(token, signal)) };
  }

  #devicePath(token: Secret): readonly string[] {
    return this.#dtls?.isCertificateDevice ? ['api', 'v1'] : ['api', 'v1', token.reveal()];
  }

  #request(request: CoapRequest, signal: AbortSignal): Promise<Result<CoapResponse>> {
    return this.#exchange((client) => this.#send(client, request, signal), signal);
  }

  /** If the address in use becomes unreachable, another address of the name is tried at once. */
  async #exchange(
    send: (client: CoapClient) => Promise<Result<CoapResponse>>,
    signal: AbortSignal,
  ): Promise<Result<CoapResponse>> {
    const first = await this.#connection.client(signal);
    const result = await this.#exchangeOver(first, send, signal);
    if (!first.ok || result.ok || this.#connection.addressCount === 1) return result;
    const { reason } = result.failure;
    if (reason !== 'port-closed' && reason !== 'no-route') return result;
    return this.#exchangeOver(await this.#connection.client(signal), send, signal);
  }

  async #exchangeOver(
    client: Result<CoapClient>,
    send: (client: CoapClient) => Promise<Result<CoapResponse>>,
    signal: AbortSignal,
  ): Promise<Result<CoapResponse>> {
    const response = client.ok ? await send(client.value) : client;
    const result = abortToTimeout(response, signal);
    this.#connection.reportResult(result.ok ? undefined : result.failure);
    if (result.ok) this.#lastSuccessMs = this.#clock.monotonicMs();
    return result;
  }

  #send(client: CoapClient, request: CoapRequest, signal: AbortSignal): Promise<Result<CoapResponse>> {
    return client.request(request, this.#timing(client, request.policy), signal);
  }

  #timing({ rtoEstimator }: CoapClient, policy: RetransmitPolicy): RetransmissionTiming {
    return this.#timingOf(policy, rtoEstimator.rtoMs(this.#clock.monotonicMs()));
  }
}
