/**
 * A `Downlink` whose server is the test: it sets attributes, sends commands, forgets the subscriptions or ends them.
 *
 * As on the real server, a command for a gateway that does not listen waits for its registration, IDs start at 0
 * after a restart, and a forgotten subscription gets nothing until `renew`.
 */

import { raceAbort } from '../../src/core/async/abort.ts';
import { aborted, type FailureReason, type Result } from '../../src/core/failures/failure.ts';
import type { Secret } from '../../src/core/model/secret.ts';
import type {
  AttributeUpdate,
  Command,
  Downlink,
  DownlinkListener,
  Subscriptions,
} from '../../src/core/ports/downlink.ts';
import { CHUNK_BYTES, type SoftwareChunk } from '../../src/core/ports/software-source.ts';
import { failureOf } from './failures.ts';

interface Listening {
  readonly subscriptions: Subscriptions;
  readonly listener: DownlinkListener;
  readonly end: (result: Result<void>) => void;
  isForgotten: boolean;
}

const OK: Result<void> = { ok: true, value: undefined };

export class ScriptedDownlink implements Downlink {
  /** Replies that the server accepted, in order. */
  readonly replies: { readonly commandId: number; readonly body: string }[] = [];
  /** Each call of `listen`. */
  readonly listens: { readonly token: Secret; readonly subscriptions: Subscriptions }[] = [];
  /** The failure of every call of `listen` or `reply`; undefined: they succeed. */
  listenFailure: FailureReason | undefined;
  replyFailure: FailureReason | undefined;
  /** The token that the server accepts; undefined: any. */
  token: Secret | undefined;
  /** Called when the server has accepted a reply. */
  onReply: (commandId: number, body: string) => void = () => {};
  #attributes: Readonly<Record<string, unknown>> = {};
  #pending: Command[] = [];
  #nextId = 0;
  readonly #listening = new Set<Listening>();

  async listen(
    token: Secret,
    subscriptions: Subscriptions,
    listener: DownlinkListener,
    signal: AbortSignal,
  ): Promise<Result<void>> {
    this.listens.push({ token, subscriptions });
    if (signal.aborted) return aborted();
    const failure = this.#isAccepted(token) ? this.listenFailure : 'unauthorized';
    if (failure) return { ok: false, failure: failureOf(failure) };
    let end: (result: Result<void>) => void = () => {};
    const ended = new Promise<Result<void>>((resolve) => {
      end = resolve;
    });
    const listening: Listening = { subscriptions, listener, end, isForgotten: false };
    this.#listening.add(listening);
    this.#register(listening);
    const result = await raceAbort(ended, aborted(), signal);
    this.#listening.delete(listening);
    return result;
  }

  /** The package that the server has assigned. */
  software: { readonly title: string; readonly version: string; readonly content: Buffer } | undefined;

  async reply(token: Secret, commandId: number, body: string, signal: AbortSignal): Promise<Result<void>> {
    if (signal.aborted) return aborted();
    const isTooLarge = Buffer.byteLength(body) > 65_536;
    const reason = isTooLarge ? 'request-build-failed' : this.replyFailure;
    const failure = this.#isAccepted(token) ? reason : 'unauthorized';
    if (failure) return { ok: false, failure: failureOf(failure) };
    this.replies.push({ commandId, body });
    this.onReply(commandId, body);
    return OK;
  }

  async downloadChunk(
    token: Secret,
    { title, version, offset }: SoftwareChunk,
    signal: AbortSignal,
  ): Promise<Result<Uint8Array>> {
    if (signal.aborted) return aborted();
    const { software } = this;
    if (!this.#isAccepted(token)) return { ok: false, failure: failureOf('unauthorized') };
    if (!software) return { ok: false, failure: failureOf('unexpected-response') };
    const isAssigned = software.title === title && software.version === version;
    if (!isAssigned) return { ok: false, failure: failureOf('request-malformed') };
    return { ok: true, value: software.content.subarray(offset, offset + CHUNK_BYTES) };
  }

  /** True while somebody listens and the server knows it. */
  get isObserved(): boolean {
    return [...this.#listening].some(({ isForgotten }) => !isForgotten);
  }

  setAttributes(values: Readonly<Record<string, unknown>>): void {
    this.#attributes = { ...this.#attributes, ...values };
    this.#notify({ is: 'changed', values });
  }

  deleteAttributes(keys: readonly string[]): void {
    this.#attributes = Object.fromEntries(
      Object.entries(this.#attributes).filter(([key]) => !keys.includes(key)),
    );
    this.#notify({ is: 'deleted', keys });
  }

  /** Returns the ID of the command. */
  sendCommand(method: string, params: unknown = null): number {
    const command = { id: this.#nextId, method, params };
    this.#nextId += 1;
    this.#pending.push(command);
    for (const listening of this.#listening) this.#deliver(listening);
    return command.id;
  }

  /** Delivers a command as it is, for example a repeated one. */
  sendRaw(command: Command): void {
    this.#pending.push(command);
    for (const listening of this.#listening) this.#deliver(listening);
  }

  /** Loses the subscriptions without notice. */
  forget(): void {
    for (const listening of this.#listening) listening.isForgotten = true;
  }

  /** Loses the subscriptions, the commands and their IDs without notice. */
  restart(): void {
    this.forget();
    this.#pending = [];
    this.#nextId = 0;
  }

  /** The gateway registers again. */
  renew(): void {
    for (const listening of this.#listening) this.#register(listening);
  }

  /** Ends every `listen`: the server ended it, or it failed. */
  end(failure?: FailureReason): void {
    const result: Result<void> = failure ? { ok: false, failure: failureOf(failure) } : OK;
    for (const listening of this.#listening) listening.end(result);
  }

  #isAccepted(token: Secret): boolean {
    return this.token?.equals(token) ?? true;
  }

  #register(listening: Listening): void {
    const { subscriptions, listener } = listening;
    listening.isForgotten = false;
    if (subscriptions.attributes) listener.onAttributes({ is: 'all', values: this.#attributes });
    listener.onRegistered();
    this.#deliver(listening);
  }

  #notify(update: AttributeUpdate): void {
    for (const { subscriptions, listener, isForgotten } of this.#listening)
      if (subscriptions.attributes && !isForgotten) listener.onAttributes(update);
  }

  #deliver({ subscriptions, listener, isForgotten }: Listening): void {
    if (!subscriptions.commands || isForgotten) return;
    const commands = this.#pending;
    this.#pending = [];
    for (const command of commands) listener.onCommand(command);
  }
}
