/**
 * One observation of the server (RFC 7641; contract sections 5 and 6): shared attributes or commands.
 *
 *   register ── GET Observe 0 ─▶ registered ── again, same token: when due, or after a gap ─▶ registered
 *                                    └── 2.02, an error, or the socket closes ─▶ ended
 *
 * A notification is acknowledged when its whole body is here. What is not acknowledged, the server sends again
 * after two to three seconds; so nothing has to wait in a queue.
 */

import { randomBytes } from 'node:crypto';
import type { Result } from '../../core/failures/failure.ts';
import { aborted } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { MessageBudget } from '../message-budget.ts';
import { classifyError } from './classify-response.ts';
import type { Exchange, ExchangeSettings } from './confirmable-exchange.ts';
import type { ResponseMessage } from './datagram.ts';
import type { MessageLayer, TokenObserver } from './message-layer.ts';
import { RecentMessages } from './recent-messages.ts';
import type { RequestMessage } from './request-message.ts';

/** `attributes`: each notification replaces parts of one state. `rpc`: each is a command of its own. */
export type ObservedResource = 'attributes' | 'rpc';

export interface ObservationPorts {
  readonly layer: MessageLayer;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly budget: MessageBudget;
  /** Between two registrations because of gaps, ms. */
  readonly pauseMs: number;
  /** Fetches the body of which this is the first block. */
  readonly fetchBody: (path: readonly string[], first: ResponseMessage) => Promise<Result<Buffer>>;
  /** Returns false if the notification cannot be used. */
  readonly onNotification: (body: string) => boolean;
  /** The observation has ended or must register again. */
  readonly onChange: () => void;
}

/** Observe numbers have 24 bits; of two, the newer is less than half of them ahead (RFC 7641 section 3.4). */
const NUMBERS = 2 ** 24;

export class Observation implements TokenObserver {
  readonly resource: ObservedResource;
  readonly #path: readonly string[];
  readonly #ports: ObservationPorts;
  readonly #token = randomBytes(8).toString('hex');
  readonly #recent: RecentMessages;
  /** The registration in flight, or the last one. */
  #registration: Exchange | undefined;
  #registeredMs: number | undefined;
  /** When to register again, monotonic ms. */
  #dueMs = 0;
  /** The Observe number of the newest notification. */
  #newest = 0;
  /** The transfer of a body in blocks; there is at most one, because the server keeps one for each path. */
  #transfer: Promise<Result<Buffer>> | undefined;
  #end: Result<void> | undefined;

  constructor(resource: ObservedResource, devicePath: readonly string[], ports: ObservationPorts) {
    this.resource = resource;
    this.#path = [...devicePath, resource];
    this.#ports = ports;
    this.#recent = new RecentMessages(ports.clock);
    ports.layer.observe(this.#token, this);
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  get isRegistered(): boolean {
    return this.#registeredMs !== undefined;
  }

  /** Why the server has ended the observation: ok, or the failure; undefined while it has not. */
  get end(): Result<void> | undefined {
    return this.#end;
  }

  /** Registers, again with the same token; returns the body of the first response. */
  async register(settings: Omit<ExchangeSettings, 'token'>, signal: AbortSignal): Promise<Result<string>> {
    await this.#transfer;
    if (signal.aborted) return aborted();
    const exchange = this.#ports.layer.sendRequest(this.#request(0), settings);
    this.#registration = exchange;
    const abort = () => exchange.fail(aborted().failure);
    signal.addEventListener('abort', abort);
    const outcome = await exchange.outcome;
    signal.removeEventListener('abort', abort);
    if (outcome.type === 'failed') return { ok: false, failure: outcome.failure };
    const { code, observe } = outcome.response;
    if (code !== '2.05' && code !== '2.03') return { ok: false, failure: classifyError(outcome.response) };
    if (observe === undefined) {
      const detail = 'the server responded but did not register the observation';
      return { ok: false, failure: { reason: 'server-overloaded', detail } };
    }
    this.#newest = observe;
    const body = await this.#bodyOf(outcome.response);
    if (!body.ok) return body;
    this.#registeredMs = this.#ports.clock.monotonicMs();
    this.#dueMs = Number.POSITIVE_INFINITY;
    return body;
  }

  /** Registers again after `ms` at the latest. */
  renewAfter(ms: number): void {
    this.#dueMs = Math.min(this.#dueMs, this.#ports.clock.monotonicMs() + ms);
  }

  /** Registers again soon, because something was missed. */
  renewSoon(): void {
    const earliestMs = (this.#registeredMs ?? Number.NEGATIVE_INFINITY) + this.#ports.pauseMs;
    this.#dueMs = Math.min(this.#dueMs, Math.max(earliestMs, this.#ports.clock.monotonicMs()));
    this.#ports.onChange();
  }

  /** Ends the observation; tells the server, which does not respond, unless it has ended it itself. */
  cancel(): void {
    const { layer } = this.#ports;
    layer.unobserve(this.#token);
    if (this.#registration && !this.#end && !layer.isClosed) layer.sendOnce(this.#request(1));
    this.#end ??= aborted();
  }

  onMessage(message: ResponseMessage, acknowledge: () => void): void {
    if (this.#end) return;
    if (this.#recent.has(message)) return acknowledge();
    if (this.#isRegistrationResponse(message)) {
      this.#recent.add(message);
      acknowledge();
      return this.#registration?.onResponse(message, acknowledge);
    }
    if (message.code !== '2.05' || message.observe === undefined) {
      acknowledge();
      return this.#finish(message);
    }
    // Its number may count from the old or from the new registration.
    const isAmbiguous = this.resource === 'attributes' && this.#registration?.isFinished === false;
    if (isAmbiguous || this.#transfer || !this.#ports.budget.take()) return;
    if (message.isComplete) this.#accept(message, message.observe, message.payload, acknowledge);
    else void this.#acceptBlocks(message, message.observe, acknowledge);
  }

  /** Registers on the new link at once; a registration in flight is repeated there anyway. */
  onLinkLost(): void {
    this.#dueMs = this.#ports.clock.monotonicMs();
    this.#ports.onChange();
  }

  onClosed(): void {
    this.#ports.onChange();
  }

  #request(observe: 0 | 1): RequestMessage {
    return { method: 'GET', token: this.#token, path: this.#path, observe };
  }

  /** Whether this is the response to the registration in flight, and not a notification of an earlier one. */
  #isRegistrationResponse({ kind, code, observe }: ResponseMessage): boolean {
    if (this.#registration?.isFinished !== false) return false;
    if (kind === 'acknowledgement') return true;
    return code === '2.05' ? observe === undefined || observe === 0 : code !== '2.02';
  }

  async #acceptBlocks(message: ResponseMessage, observe: number, acknowledge: () => void): Promise<void> {
    const body = await this.#bodyOf(message);
    if (body.ok && !this.#end) this.#accept(message, observe, Buffer.from(body.value), acknowledge);
  }

  async #bodyOf(message: ResponseMessage): Promise<Result<string>> {
    if (message.isComplete) return { ok: true, value: message.payload.toString() };
    this.#transfer = this.#ports.fetchBody(this.#path, message);
    const body = await this.#transfer;
    this.#transfer = undefined;
    return body.ok ? { ok: true, value: body.value.toString() } : body;
  }

  #accept(message: ResponseMessage, observe: number, body: Buffer, acknowledge: () => void): void {
    this.#recent.add(message);
    acknowledge();
    const ahead = (observe - this.#newest + NUMBERS) % NUMBERS;
    const isNewer = ahead > 0 && ahead < NUMBERS / 2;
    // An old state is superseded. An old command is still to be run.
    if (!isNewer && this.resource === 'attributes') return;
    if (isNewer) this.#newest = observe;
    const isUsable = this.#ports.onNotification(body.toString());
    // The server drops notifications between the one in flight and the newest (contract section 5).
    if ((isNewer && ahead > 1) || (!isUsable && this.resource === 'attributes')) this.renewSoon();
  }

  /** 2.02 and every other code end the observation, whatever its Observe number. */
  #finish(message: ResponseMessage): void {
    this.#end = message.code.startsWith('2.')
      ? { ok: true, value: undefined }
      : { ok: false, failure: classifyError(message) };
    this.#registration?.fail(aborted().failure);
    this.#ports.onChange();
  }
}
