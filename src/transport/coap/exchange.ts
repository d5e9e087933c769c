/**
 * One confirmable exchange: a datagram, its repetitions, and exactly one outcome.
 *
 *   begun ── datagram sent ─▶ unanswered ── empty ACK ─▶ acknowledged ── answer ─▶ over
 *                                 └────── answer of any kind, reset, error, patience at an end ──▶ over
 *
 * Owns its timers through the clock port and ends within its timing, whatever arrives. The message ID, token
 * and source port of all repetitions are those of the first datagram, because the server replays its answer
 * only for them (contract section 2).
 */

import type { Refusal } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Answer } from './datagram.ts';
import type { Patience, Timing } from './retransmission.ts';
import type { RoundTrip } from './rto-estimator.ts';

export type Outcome =
  | {
      readonly type: 'answered';
      readonly answer: Answer;
      /** Acknowledges a confirmable answer; nothing to do for the others. Calling it twice is harmless. */
      readonly confirm: () => void;
    }
  | { readonly type: 'refused'; readonly refusal: Refusal };

export interface ExchangeSettings {
  /** Lower-case hex. */
  readonly token: string;
  readonly patience: Patience;
  readonly timing: Timing;
  /** Told of the first sign of life. */
  readonly roundTrip: Pick<RoundTrip, 'measured'>;
  /** True: a confirmable answer is acknowledged by `confirm()` only, after the caller made it durable. */
  readonly confirmLater: boolean;
}

/**
 * A reason of our own, because the default one is an error object with a stack, made anew for every exchange.
 */
const LOOK_AROUND = 'look around';

export class Exchange {
  readonly settings: ExchangeSettings;
  readonly outcome: Promise<Outcome>;
  readonly #clock: Clock;
  readonly #peer: string;
  #resolve: (outcome: Outcome) => void = () => {};
  #messageId: number | undefined;
  #isOver = false;
  #beganMs = 0;
  #lastSentMs = 0;
  #acknowledgedAtMs: number | undefined;
  #sent = 0;
  #failed = 0;
  /** The wait that is going on; whatever happens ends it, and the loop looks around again. */
  #pause: AbortController | undefined;
  /** Why the road seems broken, kept as the better reason than silence when patience ends. */
  #lastTrouble: Refusal | undefined;

  constructor(settings: ExchangeSettings, clock: Clock, peer: string) {
    this.settings = settings;
    this.#clock = clock;
    this.#peer = peer;
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get messageId(): number | undefined {
    return this.#messageId;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Sends the datagram and repeats it until the exchange is over. A second call is the library's own
   * repetition: ignored.
   */
  start(messageId: number, send: () => void): void {
    if (this.#messageId !== undefined) return;
    this.#messageId = messageId;
    this.#beganMs = this.#clock.monotonicMs();
    const counted = () => {
      this.#sent += 1;
      this.#lastSentMs = this.#clock.monotonicMs();
      send();
    };
    counted();
    void this.#run(counted);
  }

  acknowledged(): void {
    this.#heard();
    this.#acknowledgedAtMs ??= this.#clock.monotonicMs();
    this.#pause?.abort(LOOK_AROUND);
  }

  answered(answer: Answer, confirm: () => void): void {
    this.#heard();
    this.#end({ type: 'answered', answer, confirm });
  }

  /**
   * The road failed. A usual request ends here; a single one goes on as long as one of its datagrams may have
   * arrived.
   */
  failed(refusal: Refusal): void {
    this.#lastTrouble = refusal;
    this.#failed += 1;
    if (this.settings.patience === 'usual' || this.#failed >= this.#sent) this.refuse(refusal);
  }

  refuse(refusal: Refusal): void {
    this.#end({ type: 'refused', refusal });
  }

  #end(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pause?.abort(LOOK_AROUND);
    this.#resolve(outcome);
  }

  /**
   * Only the first sign of life measures the road; what comes later measures how long the server thought. A
   * server that thinks for more than 500 ms sends an empty acknowledgement then (contract section 2).
   */
  #heard(): void {
    if (this.#isOver || this.#acknowledgedAtMs !== undefined) return;
    const nowMs = this.#clock.monotonicMs();
    this.settings.roundTrip.measured(
      {
        sinceFirstMs: nowMs - this.#beganMs,
        sinceLastMs: nowMs - this.#lastSentMs,
        repetitions: this.#sent - 1,
      },
      nowMs,
    );
  }

  /** Repeats when a repetition is due, gives up when the deadline is, and sleeps in between. */
  async #run(send: () => void): Promise<void> {
    const { patience, timing } = this.settings;
    const beganMs = this.#beganMs;
    const pauses = timing.repeatAfterMs.values();
    let repeatAtMs = beganMs + (pauses.next().value ?? Number.POSITIVE_INFINITY);
    while (!this.#isOver) {
      const nowMs = this.#clock.monotonicMs();
      const deadlineMs =
        this.#acknowledgedAtMs === undefined
          ? beganMs + timing.unansweredMs
          : this.#acknowledgedAtMs + timing.acknowledgedMs;
      if (nowMs >= deadlineMs) return this.refuse(this.#silence());
      // Acknowledged: the answer comes by itself. A single request goes on asking, in case the answer was
      // lost.
      const repeats = this.#acknowledgedAtMs === undefined || patience === 'single';
      if (repeats && nowMs >= repeatAtMs) {
        send();
        // From now, not from when it was due: after a stall of this process they must not leave in a bunch.
        repeatAtMs = nowMs + (pauses.next().value ?? Number.POSITIVE_INFINITY);
        continue;
      }
      const pause = new AbortController();
      this.#pause = pause;
      await this.#clock.sleep(Math.min(deadlineMs, repeats ? repeatAtMs : deadlineMs) - nowMs, pause.signal);
    }
  }

  #silence(): Refusal {
    if (this.#lastTrouble) return this.#lastTrouble;
    const { unansweredMs, acknowledgedMs } = this.settings.timing;
    return this.#acknowledgedAtMs === undefined
      ? { reason: 'silent', detail: `no answer from ${this.#peer} in ${inSeconds(unansweredMs)}` }
      : {
          reason: 'acknowledged-only',
          detail: `${this.#peer} acknowledged and then did not answer in ${inSeconds(acknowledgedMs)}`,
        };
  }
}

function inSeconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}
