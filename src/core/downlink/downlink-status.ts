/** The state of the downlink, for the status report. */

import type { Failure, FailureReason } from '../failures/failure.ts';
import type { Clock } from '../ports/clock.ts';
import type { Subscriptions } from '../ports/downlink.ts';

export interface DownlinkReport {
  /** `off`: nothing to listen to; `waiting`: for accepted telemetry, or for the server to confirm. */
  readonly state: 'off' | 'waiting' | 'listening' | 'failing';
  /** Since when, ms since boot. */
  readonly sinceBootMs: number;
  /** Last message of the server, including a confirmed subscription, ms since boot. */
  readonly lastHeardBootMs?: number;
  readonly reason?: FailureReason;
  readonly detail?: string;
}

export class DownlinkStatus {
  readonly #clock: Pick<Clock, 'bootMs'>;
  readonly #listeners: (() => void)[] = [];
  #state: DownlinkReport['state'];
  #sinceMs: number;
  #lastHeardMs: number | undefined;
  #failure: Failure | undefined;

  constructor(clock: Pick<Clock, 'bootMs'>, subscriptions: Subscriptions) {
    this.#clock = clock;
    this.#state = subscriptions.attributes || subscriptions.commands ? 'waiting' : 'off';
    this.#sinceMs = clock.bootMs();
  }

  /** Calls `onChange` when the state changes, not for each message. */
  subscribe(onChange: () => void): void {
    this.#listeners.push(onChange);
  }

  get report(): DownlinkReport {
    return {
      state: this.#state,
      sinceBootMs: Math.round(this.#sinceMs),
      ...(this.#lastHeardMs !== undefined && { lastHeardBootMs: Math.round(this.#lastHeardMs) }),
      ...(this.#failure && { reason: this.#failure.reason, detail: this.#failure.detail }),
    };
  }

  /** The loop waits for the session; a failure stays until a subscription is confirmed. */
  onWaiting(): void {
    if (this.#state !== 'failing') this.#setState('waiting');
  }

  onRegistered(): void {
    this.#failure = undefined;
    this.#setState('listening');
    this.onHeard();
  }

  onFailed(failure: Failure): void {
    this.#failure = failure;
    this.#setState('failing');
  }

  onHeard(): void {
    this.#lastHeardMs = this.#clock.bootMs();
  }

  #setState(state: DownlinkReport['state']): void {
    if (state === this.#state) return;
    this.#sinceMs = this.#clock.bootMs();
    this.#state = state;
    for (const onChange of this.#listeners) onChange();
  }
}
