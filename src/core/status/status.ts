/**
 * The status of the session as one line for systemd (`systemctl status`), and as data for the report:
 *
 *   starting: waiting for the first connection, 1 reading queued
 *   provisioning gw-27cb096aaf99, 3 readings queued
 *   waiting for the first response of the server, 3 readings queued
 *   online, 132 readings delivered, last 4 s ago
 *   offline for 2 h, 720 readings queued (0 lost); the server does not respond
 *
 * Contains numbers, the device name and sentences of events/failure-sentences.ts, therefore no secret.
 */

import { splitSentence } from '../events/catalogue.ts';
import { FAILURE_SENTENCES } from '../events/failure-sentences.ts';
import type { FailureReason } from '../failures/failure.ts';
import { formatRoughDuration } from '../model/format-duration.ts';
import type { Clock } from '../ports/clock.ts';
import type { SessionEvent, SessionState } from '../session/state.ts';
import type { ConnectionStatus, CredentialsState, Outage, ReportState } from './report.ts';

export interface StatusPorts {
  readonly clock: Pick<Clock, 'bootMs'>;
  readonly outbox: OutboxSizes;
}

/** Numbers of queued and lost readings; an `Outbox` implements it. */
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

  /** Calls `onChange` when the state or its reason changes, not for each number. */
  subscribe(onChange: () => void): void {
    this.#listeners.push(onChange);
  }

  /** The token comes from the configuration. */
  setTokenConfigured(): void {
    this.#credentials = 'configured';
  }

  /** Sets the function that returns the number of delivered readings. */
  setDeliveredCounter(delivered: () => number): void {
    this.#deliveredReadings = delivered;
  }

  /** The session starts. */
  start(): void {
    this.#setPhase({ is: 'connecting' });
  }

  /** The session changed to the state `after` by `event`. */
  onStep(event: SessionEvent, after: SessionState): void {
    this.#update(event, after);
    this.#setPhase(this.#phaseAfter(event, after));
  }

  text(): string {
    const phase = this.#phase;
    const { losses } = this.#ports.outbox;
    switch (phase.is) {
      case 'starting':
        return `starting: waiting for the first connection, ${this.#queuedText()}`;
      case 'provisioning':
        return `provisioning ${phase.deviceName}, ${this.#queuedText()}`;
      case 'connecting':
        return `waiting for the first response of the server, ${this.#queuedText()}`;
      case 'online':
        return `online, ${readings(this.#deliveredReadings())} delivered, last ${this.#durationText(phase.lastMs)} ago`;
      case 'outage': {
        const isUnreadable = this.#credentials === 'unreadable';
        const label = phase.isProvisioned ? 'offline' : isUnreadable ? 'not connected' : 'not provisioned';
        const { cause } = splitSentence(FAILURE_SENTENCES[phase.outage.reason]);
        return `${label} for ${this.#durationText(phase.outage.sinceBootMs)}, ${this.#queuedText()} (${losses.total} lost); ${cause}`;
      }
    }
  }

  /** The state of the session as data. */
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
        detail,
        sinceBootMs,
        nextAttemptBootMs,
        attempts: before.is === 'outage' ? before.outage.attempts + 1 : 1,
      };
      return { is: 'outage', outage, isProvisioned };
    }
    if (after.at === 'record-intent' || after.at === 'provision') {
      // Another attempt does not end the outage.
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
    return `${readings(fresh.size + backlog.size)} queued`;
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

/** Undefined if the state does not change them. */
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

function readings(count: number): string {
  return count === 1 ? '1 reading' : `${count} readings`;
}
