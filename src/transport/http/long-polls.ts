/**
 * Listens to the server by long polls (contract section 8): one for changes of attributes, one for commands. Changes
 * between two polls are lost, so all attributes are read at the start, after each change and at intervals.
 */

import { ChildAbortController } from '../../core/async/abort.ts';
import type { AsyncSignal } from '../../core/async/async-signal.ts';
import { logEvent } from '../../core/events/catalogue.ts';
import type { Result } from '../../core/failures/failure.ts';
import { aborted } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { DownlinkListener, Subscriptions } from '../../core/ports/downlink.ts';
import type { Logger } from '../../core/ports/log.ts';
import { MESSAGE_BYTES_MAX, parseCommand } from '../downlink-messages.ts';
import { MessageBudget } from '../message-budget.ts';
import { classifyAttributes, classifyPoll, type PollAnswer } from './classify-poll.ts';
import type { HttpResponse } from './response.ts';

export interface PollIntervals {
  /** The server answers an empty poll after this time, ms. ThingsBoard's own limit is 30 s (contract section 8). */
  readonly pollMs: number;
  /** The same for the first poll for commands, which confirms the subscription. */
  readonly firstPollMs: number;
  /** A poll fails this long after its time, ms. */
  readonly lateMs: number;
  /** All attributes are read again after this time, ms. */
  readonly readEveryMs: number;
}

export const POLL_INTERVALS: PollIntervals = {
  pollMs: 25_000,
  firstPollMs: 1_000,
  lateMs: 15_000,
  readEveryMs: 5 * 60_000,
};

export interface PollRequest {
  /** Below `/api/v1/TOKEN/`. */
  readonly path: string;
  readonly isPoll: boolean;
  /** Default: that of other requests. */
  readonly timeoutMs?: number;
  readonly responseBytesMax: number;
}

export interface PollPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly intervals: PollIntervals;
  /** Notified after each reply to a command. */
  readonly replies: AsyncSignal;
  readonly get: (request: PollRequest, signal: AbortSignal) => Promise<Result<HttpResponse>>;
}

/**
 * The server answers every poll with the oldest command that has no reply so far. Between such polls, until the reply,
 * ms.
 */
const REPEATED_POLL_MS = 5_000;
/** Between two reads of all attributes, ms: a script can change attributes many times a second. */
const READ_PAUSE_MS = 5_000;
/** Between two calls of `onRegistered`, ms. */
const CONFIRM_EVERY_MS = 4 * 60_000;

export class LongPolls {
  readonly #ports: PollPorts;
  readonly #listener: DownlinkListener;
  readonly #budget: MessageBudget;
  /** Subscriptions without a response of the server so far. */
  readonly #unconfirmed: Set<keyof Subscriptions>;
  #confirmedMs = Number.NEGATIVE_INFINITY;

  constructor(subscriptions: Subscriptions, listener: DownlinkListener, ports: PollPorts) {
    this.#ports = ports;
    this.#listener = listener;
    let isLimitLogged = false;
    this.#budget = new MessageBudget(ports.clock, () => {
      if (!isLimitLogged) logEvent(ports.log, 'FL-DOWNLINK-LIMITED');
      isLimitLogged = true;
    });
    this.#unconfirmed = new Set(
      (['attributes', 'commands'] as const).filter((subscription) => subscriptions[subscription]),
    );
  }

  /** Runs until the server ends a poll, a request fails or the signal aborts. */
  async run(signal: AbortSignal): Promise<Result<void>> {
    using polls = new ChildAbortController(signal);
    const loops = [...this.#unconfirmed].map((subscription) =>
      subscription === 'attributes' ? this.#pollAttributes(polls.signal) : this.#pollCommands(polls.signal),
    );
    const first = await Promise.race(loops);
    polls.abort();
    await Promise.all(loops);
    return signal.aborted ? aborted() : first;
  }

  async #pollAttributes(signal: AbortSignal): Promise<Result<void>> {
    const { clock, get, intervals } = this.#ports;
    for (;;) {
      const readMs = clock.monotonicMs();
      const read = { path: 'attributes', isPoll: false, responseBytesMax: MESSAGE_BYTES_MAX };
      const response = await get(read, signal);
      const all = response.ok ? classifyAttributes(response.value) : response;
      if (!all.ok) return all;
      this.#listener.onAttributes({ is: 'all', values: all.value });
      this.#confirm('attributes');
      let isChanged = false;
      while (!isChanged && clock.monotonicMs() - readMs < intervals.readEveryMs) {
        const poll = await this.#poll('attributes/updates', intervals.pollMs, signal);
        if (!poll.ok) return poll;
        if (poll.value.type === 'ended') return { ok: true, value: undefined };
        isChanged = poll.value.type === 'message';
      }
      // The read also reports what changes during the pause.
      await clock.sleep(Math.max(0, readMs + READ_PAUSE_MS - clock.monotonicMs()), signal);
    }
  }

  async #pollCommands(signal: AbortSignal): Promise<Result<void>> {
    const { clock, intervals, replies } = this.#ports;
    /** The last command, if no poll since was empty, and the replies until then. */
    let last: { readonly body: string; readonly replies: number } | undefined;
    for (let timeoutMs = intervals.firstPollMs; ; timeoutMs = intervals.pollMs) {
      const poll = await this.#poll('rpc', timeoutMs, signal);
      if (!poll.ok) return poll;
      if (poll.value.type === 'ended') return { ok: true, value: undefined };
      this.#confirm('commands');
      if (poll.value.type === 'empty') last = undefined;
      else if (poll.value.body === last?.body && replies.version === last.replies)
        await replies.waitUpTo(REPEATED_POLL_MS, clock, signal, last.replies);
      else {
        last = { body: poll.value.body, replies: replies.version };
        const command = parseCommand(poll.value.body);
        if (command) this.#listener.onCommand(command);
      }
    }
  }

  async #poll(path: string, timeoutMs: number, signal: AbortSignal): Promise<Result<PollAnswer>> {
    const { clock, get, intervals } = this.#ports;
    while (!this.#budget.take() && !signal.aborted) await clock.sleep(this.#budget.waitMs, signal);
    if (signal.aborted) return aborted();
    const startedMs = clock.monotonicMs();
    const response = await get(
      {
        path: `${path}?timeout=${timeoutMs}`,
        isPoll: true,
        timeoutMs: timeoutMs + intervals.lateMs,
        responseBytesMax: MESSAGE_BYTES_MAX,
      },
      signal,
    );
    if (!response.ok) return response;
    return classifyPoll(response.value, clock.monotonicMs() - startedMs < timeoutMs / 2);
  }

  #confirm(subscription: keyof Subscriptions): void {
    this.#unconfirmed.delete(subscription);
    const nowMs = this.#ports.clock.monotonicMs();
    if (this.#unconfirmed.size > 0 || nowMs - this.#confirmedMs < CONFIRM_EVERY_MS) return;
    this.#confirmedMs = nowMs;
    this.#listener.onRegistered();
  }
}
