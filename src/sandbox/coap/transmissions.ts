/**
 * The messages that the server itself starts: message IDs, and retransmission of CON messages. Each CON ends
 * with one outcome: acknowledged, reset, or timeout after four retransmissions (contract section 2) or if the
 * table is full. A NON notification is remembered, so that a reset of it can cancel the observation.
 */

import { type Peer, peerKey } from './message.ts';
import type { CoapSettings } from './settings.ts';
import type { Timers } from './timers.ts';

export type DeliveryOutcome = 'acknowledged' | 'reset' | 'timeout';

export type Send = (peer: Peer, datagram: Buffer) => void;

/** Californium reserves 65000 and above for multicast. */
const messageIdsMax = 65_000;

const nonTrackedMax = 4_096;

export class Transmissions {
  readonly #send: Send;
  readonly #timers: Timers;
  readonly #settings: CoapSettings;
  readonly #pending = new Map<string, (outcome: DeliveryOutcome) => void>();
  readonly #non = new Map<string, () => void>();
  #lastMessageId: number;

  constructor(send: Send, timers: Timers, settings: CoapSettings) {
    this.#send = send;
    this.#timers = timers;
    this.#settings = settings;
    this.#lastMessageId = Math.floor(settings.random() * messageIdsMax);
  }

  /** The next message ID of an ordinary response. */
  nextMessageId(peer: Peer): number {
    do this.#lastMessageId = (this.#lastMessageId + 1) % messageIdsMax;
    while (this.#inFlight(peer, this.#lastMessageId));
    return this.#lastMessageId;
  }

  /** The message ID of a notification, which is random on the real server (contract section 5). */
  randomMessageId(peer: Peer): number {
    let messageId = Math.floor(this.#settings.random() * messageIdsMax);
    while (this.#inFlight(peer, messageId)) messageId = (messageId + 1) % messageIdsMax;
    return messageId;
  }

  /**
   * Sends and retransmits a CON. `onOutcome` is called exactly once, never before this method returns, and
   * never after a call of the returned function.
   */
  sendConfirmable(
    peer: Peer,
    messageId: number,
    datagram: Buffer,
    onOutcome: (outcome: DeliveryOutcome) => void,
  ): () => void {
    const key = transmissionKey(peer, messageId);
    let stopTimer = () => {};
    const stop = () => {
      stopTimer();
      this.#pending.delete(key);
    };
    const finish = (outcome: DeliveryOutcome) => {
      stop();
      onOutcome(outcome);
    };
    const retransmitAfter = (waitMs: number, retransmissionsLeft: number) => {
      stopTimer = this.#timers.schedule(waitMs, () => {
        if (retransmissionsLeft === 0) return finish('timeout');
        this.#send(peer, datagram);
        retransmitAfter(waitMs * 2, retransmissionsLeft - 1);
      });
    };
    const { ackTimeoutMs, ackRandomFactor, retransmissionsMax, random } = this.#settings;
    retransmitAfter(ackTimeoutMs * (1 + random() * (ackRandomFactor - 1)), retransmissionsMax);
    if (this.#pending.size >= this.#settings.transmissionsMax) this.#timeOutOldest();
    this.#pending.set(key, finish);
    this.#send(peer, datagram);
    return stop;
  }

  /** `onReset` is called if the peer rejects the NON notification. */
  trackNonConfirmable(peer: Peer, messageId: number, onReset: () => void): void {
    const [oldest] = this.#non.keys();
    if (this.#non.size >= nonTrackedMax && oldest !== undefined) this.#non.delete(oldest);
    this.#non.set(transmissionKey(peer, messageId), onReset);
  }

  acknowledged(peer: Peer, messageId: number): void {
    this.#pending.get(transmissionKey(peer, messageId))?.('acknowledged');
  }

  reset(peer: Peer, messageId: number): void {
    const key = transmissionKey(peer, messageId);
    this.#pending.get(key)?.('reset');
    this.#non.get(key)?.();
    this.#non.delete(key);
  }

  #inFlight(peer: Peer, messageId: number): boolean {
    return this.#pending.has(transmissionKey(peer, messageId));
  }

  #timeOutOldest(): void {
    const [oldest] = this.#pending.values();
    oldest?.('timeout');
  }
}

function transmissionKey(peer: Peer, messageId: number): string {
  return `${peerKey(peer)} ${messageId}`;
}
