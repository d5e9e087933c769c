/**
 * A `Transport` that answers from a script and notes every call.
 *
 * `answer` is asked for each call; what it returns is the result, and without one every request succeeds. As
 * on a real road an issued token is given to `keep` first, and a request that is never answered ends when its
 * signal aborts; if that is because it took too long, it has met a silence.
 */

import { DEADLINE } from '../../src/core/async/abort.ts';
import type { Failure, FailureReason, Result } from '../../src/core/failures/failure.ts';
import { Secret } from '../../src/core/model/secret.ts';
import type { ProvisionRequest, Transport } from '../../src/core/ports/transport.ts';
import { failureOf } from './failures.ts';

export type Call =
  | { readonly verb: 'provision'; readonly request: ProvisionRequest }
  | { readonly verb: 'probe'; readonly token: Secret }
  | { readonly verb: 'postTelemetry' | 'postAttributes'; readonly token: Secret; readonly body: string };

/**
 * What becomes of a call: it succeeds, its token is unknown (probe), it is refused, or it is never answered.
 */
export type Answer = 'ok' | 'not-ours' | 'never' | FailureReason | Failure;

export type Script = (call: Call, index: number) => Answer | Promise<Answer>;

export class ScriptedTransport implements Transport {
  readonly calls: Call[] = [];
  readonly #journal: string[];
  readonly #answer: Script;

  constructor(answer: Script = () => 'ok', log: string[] = []) {
    this.#answer = answer;
    this.#journal = log;
  }

  /** The bodies posted as telemetry, in order. */
  get telemetry(): readonly string[] {
    return this.#bodies('postTelemetry');
  }

  get attributes(): readonly string[] {
    return this.#bodies('postAttributes');
  }

  async provision(
    request: ProvisionRequest,
    persist: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>> {
    const failed = await this.#calls({ verb: 'provision', request }, signal);
    if (failed) return failed;
    const token = request.token ?? new Secret('issued-by-the-server');
    await persist(token);
    return { ok: true, value: token };
  }

  async probe(token: Secret, signal: AbortSignal): Promise<Result<boolean>> {
    const call: Call = { verb: 'probe', token };
    const answer = await this.#results(call, signal);
    if (answer === 'ok' || answer === 'not-ours') return { ok: true, value: answer === 'ok' };
    return failWith(answer);
  }

  async postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    const failed = await this.#calls({ verb: 'postTelemetry', token, body }, signal);
    return failed ?? { ok: true, value: undefined };
  }

  async postAttributes(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    const failed = await this.#calls({ verb: 'postAttributes', token, body }, signal);
    return failed ?? { ok: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #bodies(verb: 'postTelemetry' | 'postAttributes'): readonly string[] {
    return this.calls.flatMap((call) => (call.verb === verb ? [call.body] : []));
  }

  async #calls(call: Call, signal: AbortSignal): Promise<ScriptedFailure | undefined> {
    const answer = await this.#results(call, signal);
    return answer === 'ok' || answer === 'not-ours' ? undefined : failWith(answer);
  }

  async #results(call: Call, signal: AbortSignal): Promise<Exclude<Answer, 'never'>> {
    this.calls.push(call);
    this.#journal.push(`transport ${call.verb}`);
    const answer = await this.#answer(call, this.calls.length - 1);
    if (answer !== 'never') return answer;
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    return signal.reason === DEADLINE ? 'server-timeout' : 'aborted';
  }
}

type ScriptedFailure = Result<never> & { readonly ok: false };

function failWith(reason: FailureReason | Failure): ScriptedFailure {
  return { ok: false, failure: typeof reason === 'string' ? failureOf(reason) : reason };
}
