/**
 * The downlink of the server of the weeks (contract sections 5 and 6): shared attributes, commands, and one observer, which it
 * forgets without notice. A command is delivered again at each registration until it is acknowledged, and a two-way one until its
 * reply. Some notifications are replaced by later ones.
 */

import type { CommandRecord, Method, SentCommand } from '../../downlink/command-record.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import { MINUTE } from '../plan/week-plan.ts';

export type Notification =
  | { readonly is: 'changed'; readonly values: Readonly<Record<string, unknown>> }
  | { readonly is: 'deleted'; readonly keys: readonly string[] }
  | { readonly is: 'command'; readonly command: SentCommand };

/** A registration of a process. */
export interface Observer {
  readonly process: number;
  /** Sends one notification; calls back with whether it was acknowledged, or never. `hasGap`: one before it was dropped. */
  notify(notification: Notification, hasGap: boolean, done: (isAcknowledged: boolean) => void): void;
}

/** A command that nobody answers is given up after this time. */
const EXPIRY_MS = 40 * MINUTE;
const DROPPED_SHARE = 0.15;

export class DownlinkServer {
  readonly attributes: Record<string, unknown> = {};
  /** The client attribute configApplied. */
  applied: Readonly<Record<string, string>> = {};
  readonly #record: CommandRecord;
  readonly #nowMs: () => number;
  readonly #random: SeededRandom;
  #observer: Observer | undefined;
  #nextId = 0;
  #queue: Notification[] = [];
  #isSending = false;
  #hasGap = false;

  constructor(record: CommandRecord, nowMs: () => number, random: SeededRandom) {
    this.#record = record;
    this.#nowMs = nowMs;
    this.#random = random;
  }

  set(values: Readonly<Record<string, unknown>>): void {
    Object.assign(this.attributes, values);
    this.#notify({ is: 'changed', values });
  }

  delete(key: string): void {
    delete this.attributes[key];
    this.#notify({ is: 'deleted', keys: [key] });
  }

  /** Client attributes of the gateway. */
  onAttributes(body: string): void {
    const { configApplied } = JSON.parse(body) as { configApplied?: string };
    if (configApplied !== undefined) this.applied = JSON.parse(configApplied) as Record<string, string>;
  }

  send(method: Method, isTwoWay: boolean, expiryMs = EXPIRY_MS): SentCommand {
    const id = this.#nextId;
    this.#nextId += 1;
    const command = this.#record.send({ id, method, isTwoWay, expiresMs: this.#nowMs() + expiryMs });
    this.#notify({ is: 'command', command });
    return command;
  }

  /** Forgets the observation, and its ids begin at 0 again. */
  restart(): void {
    this.#observer = undefined;
    this.#queue = [];
    this.#nextId = 0;
  }

  register(observer: Observer): void {
    this.#observer = observer;
    this.#isSending = false;
    this.#hasGap = false;
    this.#queue = this.#pending().map((command) => ({ is: 'command', command }));
    this.#sendNext();
  }

  onReply(id: number): void {
    const command = this.#record.sent.findLast((each) => each.id === id);
    if (command) command.replied += 1;
  }

  #pending(): readonly SentCommand[] {
    const nowMs = this.#nowMs();
    return this.#record.sent.filter(
      ({ acknowledged, isTwoWay, replied, expiresMs }) =>
        expiresMs > nowMs && (isTwoWay ? replied === 0 : !acknowledged),
    );
  }

  #notify(notification: Notification): void {
    if (!this.#observer) return;
    if (this.#isSending && this.#random.isTrue(DROPPED_SHARE)) {
      this.#hasGap = true;
      return;
    }
    this.#queue.push(notification);
    this.#sendNext();
  }

  #sendNext(): void {
    const observer = this.#observer;
    const next = this.#isSending ? undefined : this.#queue.shift();
    if (!observer || !next) return;
    this.#isSending = true;
    observer.notify(next, this.#hasGap, (isAcknowledged) => {
      if (observer !== this.#observer) return;
      this.#isSending = false;
      this.#hasGap = false;
      // Four lost repetitions end the observation, and nobody is told.
      if (!isAcknowledged) this.#observer = undefined;
      this.#sendNext();
    });
  }
}
