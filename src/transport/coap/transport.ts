/**
 * The CoAP road: ThingsBoard's device API over UDP, as the Transport port.
 *
 * Translates between the core's questions and the contract's paths, codes and bodies (contract sections 1.1,
 * 3, 4 and 5). Everything that can be wrong on the way ends in one refusal within the request's own patience.
 */

import { DEADLINE } from '../../core/async/abort.ts';
import type { Failure, Result } from '../../core/failures/failure.ts';
import type { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Random } from '../../core/ports/random.ts';
import type { ProvisionRequest, Transport } from '../../core/ports/transport.ts';
import { parseProvisionAnswer, provisionBody } from '../../core/thingsboard.ts';
import type { CoapClient, CoapRequest, CoapResponse } from './client.ts';
import { CoapConnection, type CoapConnectionPorts } from './connection.ts';
import { type RetransmissionTiming, type RetransmitPolicy, retransmissionTiming } from './retransmission.ts';

export interface CoapSettings {
  readonly host: string;
  readonly port: number;
}

export interface CoapPorts extends CoapConnectionPorts {
  readonly random: Pick<Random, 'uniform'>;
  /** Given by tests that cannot wait 45 s for a silence; those of timing.ts otherwise. */
  readonly timingOf?: (policy: RetransmitPolicy, rtoMs: number) => RetransmissionTiming;
}

/** An attribute nobody has: the probe asks for it, so that its answer is small whatever the device holds. */
const PROBE_QUERY = 'clientKeys=firstlightProbe';

export class CoapTransport implements Transport {
  readonly #connection: CoapConnection;
  readonly #clock: Clock;
  readonly #timingOf: (policy: RetransmitPolicy, rtoMs: number) => RetransmissionTiming;

  constructor(settings: CoapSettings, ports: CoapPorts) {
    this.#connection = new CoapConnection(settings.host, settings.port, ports);
    this.#clock = ports.clock;
    this.#timingOf =
      ports.timingOf ?? ((policy, rtoMs) => retransmissionTiming(policy, ports.random.uniform(), rtoMs));
  }

  async provision(
    request: ProvisionRequest,
    persist: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>> {
    const result = await this.#request(
      {
        method: 'POST',
        path: '/api/v1/provision',
        body: provisionBody(request),
        // A pre-provisioned profile ignores the token we propose: then this very answer is all there is.
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
    const path = `/api/v1/${token.reveal()}/attributes`;
    const result = await this.#request(
      { method: 'GET', path, query: PROBE_QUERY, policy: 'retryable' },
      signal,
    );
    if (!result.ok) return result;
    const { code, contentFormat } = result.value;
    if (code === '4.01') return { ok: true, value: false };
    if (code === '2.05') return { ok: true, value: true };
    // "Nothing found" has a Content-Format (contract 5); a server that has no such path answers 4.04 without
    // one.
    if (code === '4.04' && contentFormat !== undefined) return { ok: true, value: true };
    return { ok: false, failure: classifyError(result.value) };
  }

  postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#post(`/api/v1/${token.reveal()}/telemetry`, body, signal);
  }

  postAttributes(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#post(`/api/v1/${token.reveal()}/attributes`, body, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }

  async #post(path: string, body: string, signal: AbortSignal): Promise<Result<void>> {
    const result = await this.#request({ method: 'POST', path, body, policy: 'retryable' }, signal);
    if (!result.ok) return result;
    if (result.value.code === '2.01') return { ok: true, value: undefined };
    return { ok: false, failure: classifyError(result.value) };
  }

  /**
   * One request; where the host says that an address is dead, the next address of the name has its turn at
   * once.
   */
  async #request(request: CoapRequest, signal: AbortSignal): Promise<Result<CoapResponse>> {
    let result = await this.#requestOnce(request, signal);
    for (let attempt = 1; attempt < this.#connection.addressCount && !result.ok; attempt += 1) {
      const { reason } = result.failure;
      if (reason !== 'port-closed' && reason !== 'no-route') break;
      result = await this.#requestOnce(request, signal);
    }
    return result;
  }

  async #requestOnce(request: CoapRequest, signal: AbortSignal): Promise<Result<CoapResponse>> {
    const client = await this.#connection.client(signal);
    const response = client.ok ? await this.#send(client.value, request, signal) : client;
    const result = reportTimeout(response, signal);
    this.#connection.reportResult(result.ok ? undefined : result.failure);
    return result;
  }

  #send(client: CoapClient, request: CoapRequest, signal: AbortSignal): Promise<Result<CoapResponse>> {
    const rtoMs = client.rtoEstimator.rtoMs(this.#clock.monotonicMs());
    return client.request(request, this.#timingOf(request.policy, rtoMs), signal);
  }
}

/** A caller whose own patience is over has met a silence, and the line should know. */
function reportTimeout<T>(result: Result<T>, signal: AbortSignal): Result<T> {
  if (result.ok || result.failure.reason !== 'aborted' || signal.reason !== DEADLINE) return result;
  return { ok: false, failure: { reason: 'server-timeout', detail: 'no answer in the time there was' } };
}

function classifyProvision(response: CoapResponse): ReturnType<typeof parseProvisionAnswer> {
  const { code, body } = response;
  // 2.01 and 4.00 both carry the JSON whose status decides (contract 3.2); nothing else does.
  if (response.isComplete && (code === '2.01' || (code === '4.00' && body.length > 0))) {
    return parseProvisionAnswer(body.toString());
  }
  return { type: 'failed', failure: classifyError(response) };
}

/**
 * An answer that is none of the expected ones, by its code (contract 1.1). Its text is not quoted: it may
 * echo ours.
 */
function classifyError({ code }: CoapResponse): Failure {
  const detail = `answer ${code}`;
  if (code === '4.01') return { reason: 'unauthorized', detail };
  if (code === '4.00') return { reason: 'request-malformed', detail };
  if (code.startsWith('5.')) return { reason: 'server-overloaded', detail };
  return { reason: 'unexpected-response', detail };
}
