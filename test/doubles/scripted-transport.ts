/**
 * A `Transport` that answers from a script and records every call.
 *
 * The result of `answer` is the result of the call; by default every request succeeds. As in a real transport
 * an issued token is passed to `persist` first, and a request that is never answered ends when its signal
 * aborts; if the reason is a deadline, the result is a time-out.
 */

import { DEADLINE } from '../../src/core/async/abort.ts';
import { BODY_BYTES_MAX } from '../../src/core/delivery/encode.ts';
import type { Failure, FailureReason, Result } from '../../src/core/failures/failure.ts';
import { Secret } from '../../src/core/model/secret.ts';
import type { DownlinkListener, Subscriptions } from '../../src/core/ports/downlink.ts';
import type { SoftwareChunk } from '../../src/core/ports/software-source.ts';
import type { ProvisionRequest, Transport } from '../../src/core/ports/transport.ts';
import { failureOf } from './failures.ts';
import { ScriptedDownlink } from './scripted-downlink.ts';

export type Call =
  | { readonly verb: 'provision'; readonly request: ProvisionRequest }
  | { readonly verb: 'probe'; readonly token: Secret }
  | { readonly verb: 'postTelemetry' | 'postAttributes'; readonly token: Secret; readonly body: string };

/**
 * The result of a call: it succeeds, its token is unknown (probe), it fails, or it is never answered.
 */
export type Answer = 'ok' | 'not-ours' | 'never' | FailureReason | Failure;

export type Script = (call: Call, index: number) => Answer | Promise<Answer>;

export class ScriptedTransport implements Transport {
  readonly calls: Call[] = [];
  /** Of a body. */
  bytesMax = BODY_BYTES_MAX;
  /** The server of `listen` and `reply`, which are not in `calls`. */
  readonly downlink = new ScriptedDownlink();
  readonly #callLog: string[];
  readonly #answer: Script;

  constructor(answer: Script = () => 'ok', log: string[] = []) {
    this.#answer = answer;
    this.#callLog = log;
  }

  /** The bodies posted as telemetry, in order. */
  get telemetry(): readonly string[] {
    return this.#bodies('postTelemetry');
  }

  get attributes(): readonly string[] {
    return this.#bodies('postAttributes');
  }

  bodyBytesMax(): number {
    return this.bytesMax;
  }

  async provision(
    request: ProvisionRequest,
    persist: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>> {
    const failed = await this.#runCall({ verb: 'provision', request }, signal);
    if (failed) return failed;
    const token = request.token ?? new Secret('issued-by-the-server');
    await persist(token);
    return { ok: true, value: token };
  }

  async probe(token: Secret, signal: AbortSignal): Promise<Result<boolean>> {
    const call: Call = { verb: 'probe', token };
    const answer = await this.#answerOf(call, signal);
    if (answer === 'ok' || answer === 'not-ours') return { ok: true, value: answer === 'ok' };
    return failWith(answer);
  }

  async postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    const failed = await this.#runCall({ verb: 'postTelemetry', token, body }, signal);
    return failed ?? { ok: true, value: undefined };
  }

  async postAttributes(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    const failed = await this.#runCall({ verb: 'postAttributes', token, body }, signal);
    return failed ?? { ok: true, value: undefined };
  }

  listen(
    token: Secret,
    subscriptions: Subscriptions,
    listener: DownlinkListener,
    signal: AbortSignal,
  ): Promise<Result<void>> {
    return this.downlink.listen(token, subscriptions, listener, signal);
  }

  reply(token: Secret, commandId: number, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.downlink.reply(token, commandId, body, signal);
  }

  downloadChunk(token: Secret, chunk: SoftwareChunk, signal: AbortSignal): Promise<Result<Uint8Array>> {
    return this.downlink.downloadChunk(token, chunk, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.downlink.end('aborted');
  }

  #bodies(verb: 'postTelemetry' | 'postAttributes'): readonly string[] {
    return this.calls.flatMap((call) => (call.verb === verb ? [call.body] : []));
  }

  async #runCall(call: Call, signal: AbortSignal): Promise<ScriptedFailure | undefined> {
    const answer = await this.#answerOf(call, signal);
    return answer === 'ok' || answer === 'not-ours' ? undefined : failWith(answer);
  }

  async #answerOf(call: Call, signal: AbortSignal): Promise<Exclude<Answer, 'never'>> {
    this.calls.push(call);
    this.#callLog.push(`transport ${call.verb}`);
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
