/**
 * The CoAP road: ThingsBoard's device API over UDP, as the Transport port.
 *
 * Translates between the core's questions and the contract's paths, codes and bodies (contract sections 1.1,
 * 3, 4 and 5). Everything that can be wrong on the way ends in one refusal within the request's own patience.
 */

import { DEADLINE } from '../../core/async/abort.ts';
import type { Refusal, Result } from '../../core/failures/failure.ts';
import type { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Chance } from '../../core/ports/random.ts';
import type { ProvisionRequest, Transport } from '../../core/ports/transport.ts';
import { parseProvisionAnswer, provisionBody } from '../../core/thingsboard.ts';
import type { CoapAnswer, CoapClient, CoapRequest } from './client.ts';
import { Line, type LinePorts } from './connection.ts';
import { type Patience, type Timing, timing } from './retransmission.ts';

export interface CoapSettings {
  readonly host: string;
  readonly port: number;
}

export interface CoapPorts extends LinePorts {
  readonly chance: Pick<Chance, 'random'>;
  /** Given by tests that cannot wait 45 s for a silence; those of timing.ts otherwise. */
  readonly timingOf?: (patience: Patience, rtoMs: number) => Timing;
}

/** An attribute nobody has: the probe asks for it, so that its answer is small whatever the device holds. */
const PROBE_QUERY = 'clientKeys=firstlightProbe';

export class CoapTransport implements Transport {
  readonly #line: Line;
  readonly #clock: Clock;
  readonly #timingOf: (patience: Patience, rtoMs: number) => Timing;

  constructor(settings: CoapSettings, ports: CoapPorts) {
    this.#line = new Line(settings.host, settings.port, ports);
    this.#clock = ports.clock;
    this.#timingOf = ports.timingOf ?? ((patience, rtoMs) => timing(patience, ports.chance.random(), rtoMs));
  }

  async provision(
    request: ProvisionRequest,
    keep: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>> {
    const result = await this.#request(
      {
        method: 'POST',
        path: '/api/v1/provision',
        body: provisionBody(request),
        // A pre-provisioned profile ignores the token we propose: then this very answer is all there is.
        patience: 'single',
        confirmLater: true,
      },
      signal,
    );
    if (!result.ok) return result;
    const verdict = judgeProvision(result.value);
    if (verdict.type === 'issued') await keep(verdict.token);
    result.value.confirm();
    return verdict.type === 'issued'
      ? { ok: true, value: verdict.token }
      : { ok: false, refusal: verdict.refusal };
  }

  async probe(token: Secret, signal: AbortSignal): Promise<Result<boolean>> {
    const path = `/api/v1/${token.reveal()}/attributes`;
    const result = await this.#request(
      { method: 'GET', path, query: PROBE_QUERY, patience: 'usual' },
      signal,
    );
    if (!result.ok) return result;
    const { code, contentFormat } = result.value;
    if (code === '4.01') return { ok: true, value: false };
    if (code === '2.05') return { ok: true, value: true };
    // "Nothing found" has a Content-Format (contract 5); a server that has no such path answers 4.04 without
    // one.
    if (code === '4.04' && contentFormat !== undefined) return { ok: true, value: true };
    return { ok: false, refusal: judgeError(result.value) };
  }

  postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#post(`/api/v1/${token.reveal()}/telemetry`, body, signal);
  }

  postAttributes(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#post(`/api/v1/${token.reveal()}/attributes`, body, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#line[Symbol.asyncDispose]();
  }

  async #post(path: string, body: string, signal: AbortSignal): Promise<Result<void>> {
    const result = await this.#request({ method: 'POST', path, body, patience: 'usual' }, signal);
    if (!result.ok) return result;
    if (result.value.code === '2.01') return { ok: true, value: undefined };
    return { ok: false, refusal: judgeError(result.value) };
  }

  /**
   * One request; where the host says that an address is dead, the next address of the name has its turn at
   * once.
   */
  async #request(request: CoapRequest, signal: AbortSignal): Promise<Result<CoapAnswer>> {
    let result = await this.#requestOnce(request, signal);
    for (let turn = 1; turn < this.#line.addresses && !result.ok; turn += 1) {
      const { reason } = result.refusal;
      if (reason !== 'port-closed' && reason !== 'no-route') break;
      result = await this.#requestOnce(request, signal);
    }
    return result;
  }

  async #requestOnce(request: CoapRequest, signal: AbortSignal): Promise<Result<CoapAnswer>> {
    const client = await this.#line.client(signal);
    const answer = client.ok ? await this.#ask(client.value, request, signal) : client;
    const result = inTime(answer, signal);
    this.#line.ended(result.ok ? undefined : result.refusal);
    return result;
  }

  #ask(client: CoapClient, request: CoapRequest, signal: AbortSignal): Promise<Result<CoapAnswer>> {
    const rtoMs = client.roundTrip.rtoMs(this.#clock.monotonicMs());
    return client.request(request, this.#timingOf(request.patience, rtoMs), signal);
  }
}

/** A caller whose own patience is over has met a silence, and the line should know. */
function inTime<T>(result: Result<T>, signal: AbortSignal): Result<T> {
  if (result.ok || result.refusal.reason !== 'aborted' || signal.reason !== DEADLINE) return result;
  return { ok: false, refusal: { reason: 'silent', detail: 'no answer in the time there was' } };
}

function judgeProvision(answer: CoapAnswer): ReturnType<typeof parseProvisionAnswer> {
  const { code, body } = answer;
  // 2.01 and 4.00 both carry the JSON whose status decides (contract 3.2); nothing else does.
  if (answer.whole && (code === '2.01' || (code === '4.00' && body.length > 0))) {
    return parseProvisionAnswer(body.toString());
  }
  return { type: 'refused', refusal: judgeError(answer) };
}

/**
 * An answer that is none of the expected ones, by its code (contract 1.1). Its text is not quoted: it may
 * echo ours.
 */
function judgeError({ code }: CoapAnswer): Refusal {
  const detail = `answer ${code}`;
  if (code === '4.01') return { reason: 'unauthorized', detail };
  if (code === '4.00') return { reason: 'malformed', detail };
  if (code.startsWith('5.')) return { reason: 'overloaded', detail };
  return { reason: 'unintelligible', detail };
}
