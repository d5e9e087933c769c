/**
 * The status: what the agent is at, as one line for whoever asks the service manager (`systemctl status`).
 *
 *   starting: waiting for its turn to send, 1 reading kept
 *   provisioning gw-27cb096aaf99, 3 readings kept
 *   waiting for the server's first answer, 3 readings kept
 *   online, 132 readings delivered, last 4 s ago
 *   offline for 2 h, 720 readings kept (0 lost); the server does not answer
 *
 * and the same as data, for the report. Told the same steps as the narrator. Holds numbers, the device's name and the words of verdicts.ts, so no secret.
 */

import { splitSentence } from '../events/catalogue.ts';
import type { FailureReason } from '../failures/failure.ts';
import { FAILURE_POLICIES } from '../failures/policies.ts';
import { formatRoughDuration } from '../model/format-duration.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionEvent, SessionState } from '../session/state.ts';
import type { ConnectionStatus, CredentialsState, Outage, ReportState } from './report.ts';

export interface StatusPorts {
  readonly clock: Pick<Clock, 'bootMs'>;
  readonly outbox: OutboxSizes;
}

/** How much waits and how much is lost; an `Outbox` is one. */
export interface OutboxSizes {
  readonly fresh: { readonly size: number };
  readonly backlog: { readonly size: number };
  readonly losses: { readonly total: number };
}

type Phase =
  | { readonly is: 'starting' }
  | { readonly is: 'provisioning'; readonly deviceName: string }
  | { readonly is: 'connecting' }
  | { readonly is: 'online'; readonly lastMs: number }
  | { readonly is: 'outage'; readonly outage: Outage; readonly isProvisioned: boolean };

export class Status {
  readonly #ports: StatusPorts;
  readonly #listeners: (() => void)[] = [];
  #phase: Phase = { is: 'starting' };
  #sinceMs: number;
  #device: string | undefined;
  #credentials: CredentialsState = 'unknown';
  #lastAcceptedMs: number | undefined;
  #deliveredReadings: () => number = () => 0;

  constructor(ports: StatusPorts) {
    this.#ports = ports;
    this.#sinceMs = ports.clock.bootMs();
  }

  /** `onChange` is called when the line says something else, and not just other numbers. */
  subscribe(onChange: () => void): void {
    this.#listeners.push(onChange);
  }

  /** The operator has given the token. */
  setTokenConfigured(): void {
    this.#credentials = 'configured';
  }

  /** Whom to ask for the number of readings delivered. */
  setDeliveredCounter(delivered: () => number): void {
    this.#deliveredReadings = delivered;
  }

  /** The conversation begins. */
  start(): void {
    this.#setPhase({ is: 'connecting' });
  }

  /** The conversation stepped to `after` by `event`. */
  onStep(event: SessionEvent, after: SessionState): void {
    this.#update(event, after);
    this.#setPhase(this.#phaseAfter(event, after));
  }

  text(): string {
    const phase = this.#phase;
    const { losses } = this.#ports.outbox;
    switch (phase.is) {
      case 'starting':
        return `starting: waiting for its turn to send, ${this.#queuedText()}`;
      case 'provisioning':
        return `provisioning ${phase.deviceName}, ${this.#queuedText()}`;
      case 'connecting':
        return `waiting for the server's first answer, ${this.#queuedText()}`;
      case 'online':
        return `online, ${readings(this.#deliveredReadings())} delivered, last ${this.#durationText(phase.lastMs)} ago`;
      case 'outage': {
        const isUnreadable = this.#credentials === 'unreadable';
        const label = phase.isProvisioned ? 'offline' : isUnreadable ? 'not connected' : 'not provisioned';
        const { cause } = splitSentence(FAILURE_POLICIES[phase.outage.reason].sentence);
        return `${label} for ${this.#durationText(phase.outage.sinceBootMs)}, ${this.#queuedText()} (${losses.total} lost); ${cause}`;
      }
    }
  }

  /** What the conversation knows, as data. */
  get connection(): ConnectionStatus {
    const phase = this.#phase;
    return {
      state: stateOf(phase),
      sinceBootMs: Math.round(this.#sinceMs),
      ...(this.#device !== undefined && { device: this.#device }),
      credentials: this.#credentials,
      ...(this.#lastAcceptedMs !== undefined && { lastAcceptedBootMs: Math.round(this.#lastAcceptedMs) }),
      deliveredReadings: this.#deliveredReadings(),
      ...(phase.is === 'outage' && { outage: phase.outage }),
    };
  }

  #update(event: SessionEvent, after: SessionState): void {
    if ('identity' in after) this.#device = after.identity.deviceName;
    if (event.type === 'delivered') this.#lastAcceptedMs = this.#ports.clock.bootMs();
    if (this.#credentials !== 'configured')
      this.#credentials = credentialsStateAfter(after) ?? this.#credentials;
  }

  #phaseAfter(event: SessionEvent, after: SessionState): Phase {
    const nowMs = this.#ports.clock.bootMs();
    const before = this.#phase;
    if (event.type === 'delivered') return { is: 'online', lastMs: nowMs };
    if (after.at === 'wait') {
      const { reason, detail } = after.failure;
      const sinceBootMs = before.is === 'outage' ? before.outage.sinceBootMs : Math.round(nowMs);
      const nextAttemptBootMs = Math.round(nowMs + after.forMs);
      const isProvisioned = after.resumeAt.at === 'deliver';
      const outage = {
        reason,
        detail: detail,
        sinceBootMs,
        nextAttemptBootMs: nextAttemptBootMs,
        attempts: after.consecutiveFailures,
      };
      return { is: 'outage', outage, isProvisioned };
    }
    if (after.at === 'record-intent' || after.at === 'provision') {
      // Another try is no end of the trouble.
      if (before.is === 'outage' || !('identity' in after)) return before;
      return { is: 'provisioning', deviceName: after.identity.deviceName };
    }
    const hasToken = event.type === 'token-issued' || event.type === 'saved' || event.type === 'loaded';
    return after.at === 'deliver' && hasToken ? { is: 'connecting' } : before;
  }

  #setPhase(phase: Phase): void {
    const before = this.#phase;
    this.#phase = phase;
    if (stateOf(before) !== stateOf(phase)) this.#sinceMs = this.#ports.clock.bootMs();
    if (changeKey(before) === changeKey(phase)) return;
    for (const onChange of this.#listeners) onChange();
  }

  #queuedText(): string {
    const { fresh, backlog } = this.#ports.outbox;
    return `${readings(fresh.size + backlog.size)} kept`;
  }

  #durationText(sinceMs: number): string {
    return formatRoughDuration(this.#ports.clock.bootMs() - sinceMs);
  }
}

function changeKey(phase: Phase): string {
  return phase.is === 'outage' ? `${phase.is}: ${phase.outage.reason}` : phase.is;
}

function stateOf(phase: Phase): ReportState {
  if (phase.is !== 'outage') return phase.is;
  return phase.isProvisioned ? 'offline' : 'not provisioned';
}

const UNREADABLE: ReadonlySet<FailureReason> = new Set(['credentials-unreadable', 'credentials-newer']);

/** Undefined where the state says nothing new about them. */
function credentialsStateAfter(after: SessionState): CredentialsState | undefined {
  switch (after.at) {
    case 'load':
      return undefined;
    case 'wait':
      return UNREADABLE.has(after.failure.reason) ? 'unreadable' : undefined;
    case 'record-intent':
      return 'none';
    case 'provision':
    case 'verify-token':
    case 'verify-previous-token':
      return 'requested';
    case 'save':
    case 'deliver':
      return after.retrySaveAtMs === undefined ? 'stored' : 'unsaved';
  }
}

function readings(setDeliveredCounter: number): string {
  return setDeliveredCounter === 1 ? '1 reading' : `${setDeliveredCounter} readings`;
}
