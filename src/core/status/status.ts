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

import { halvesOf } from '../events/catalogue.ts';
import type { RefusalReason } from '../failures/failure.ts';
import { VERDICTS } from '../failures/policies.ts';
import { formatRoughDuration } from '../model/format-duration.ts';
import type { Clock } from '../ports/clock.ts';
import type { Event, State } from '../session/state.ts';
import type { CredentialsStanding, ReportState, Standing, Trouble } from './report.ts';

export interface StatusPorts {
  readonly clock: Pick<Clock, 'bootMs'>;
  readonly outbox: Amounts;
}

/** How much waits and how much is lost; an `Outbox` is one. */
export interface Amounts {
  readonly fresh: { readonly size: number };
  readonly backlog: { readonly size: number };
  readonly losses: { readonly total: number };
}

type Phase =
  | { readonly is: 'starting' }
  | { readonly is: 'provisioning'; readonly deviceName: string }
  | { readonly is: 'connecting' }
  | { readonly is: 'online'; readonly lastMs: number }
  | { readonly is: 'in trouble'; readonly trouble: Trouble; readonly isProvisioned: boolean };

export class Status {
  readonly #ports: StatusPorts;
  readonly #watchers: (() => void)[] = [];
  #phase: Phase = { is: 'starting' };
  #sinceMs: number;
  #device: string | undefined;
  #credentials: CredentialsStanding = 'unknown';
  #lastAcceptedMs: number | undefined;
  #delivered: () => number = () => 0;

  constructor(ports: StatusPorts) {
    this.#ports = ports;
    this.#sinceMs = ports.clock.bootMs();
  }

  /** `onChange` is called when the line says something else, and not just other numbers. */
  watch(onChange: () => void): void {
    this.#watchers.push(onChange);
  }

  /** The operator has given the token. */
  given(): void {
    this.#credentials = 'given';
  }

  /** Whom to ask for the number of readings delivered. */
  count(delivered: () => number): void {
    this.#delivered = delivered;
  }

  /** The conversation begins. */
  begin(): void {
    this.#turnTo({ is: 'connecting' });
  }

  /** The conversation stepped to `after` by `event`. */
  tell(event: Event, after: State): void {
    this.#know(event, after);
    this.#turnTo(this.#phaseAfter(event, after));
  }

  text(): string {
    const phase = this.#phase;
    const { losses } = this.#ports.outbox;
    switch (phase.is) {
      case 'starting':
        return `starting: waiting for its turn to send, ${this.#kept()}`;
      case 'provisioning':
        return `provisioning ${phase.deviceName}, ${this.#kept()}`;
      case 'connecting':
        return `waiting for the server's first answer, ${this.#kept()}`;
      case 'online':
        return `online, ${readings(this.#delivered())} delivered, last ${this.#since(phase.lastMs)} ago`;
      case 'in trouble': {
        const isBlind = this.#credentials === 'unreadable';
        const what = phase.isProvisioned ? 'offline' : isBlind ? 'not connected' : 'not provisioned';
        const { cause } = halvesOf(VERDICTS[phase.trouble.reason].sentence);
        return `${what} for ${this.#since(phase.trouble.sinceBootMs)}, ${this.#kept()} (${losses.total} lost); ${cause}`;
      }
    }
  }

  /** What the conversation knows, as data. */
  get standing(): Standing {
    const phase = this.#phase;
    return {
      state: stateOf(phase),
      sinceBootMs: Math.round(this.#sinceMs),
      ...(this.#device !== undefined && { device: this.#device }),
      credentials: this.#credentials,
      ...(this.#lastAcceptedMs !== undefined && { lastAcceptedBootMs: Math.round(this.#lastAcceptedMs) }),
      delivered: this.#delivered(),
      ...(phase.is === 'in trouble' && { trouble: phase.trouble }),
    };
  }

  #know(event: Event, after: State): void {
    if ('claim' in after) this.#device = after.claim.deviceName;
    if (event.type === 'delivered') this.#lastAcceptedMs = this.#ports.clock.bootMs();
    if (this.#credentials !== 'given') this.#credentials = credentialsAfter(after) ?? this.#credentials;
  }

  #phaseAfter(event: Event, after: State): Phase {
    const nowMs = this.#ports.clock.bootMs();
    const before = this.#phase;
    if (event.type === 'delivered') return { is: 'online', lastMs: nowMs };
    if (after.at === 'wait') {
      const { reason, detail: seen } = after.refusal;
      const sinceBootMs = before.is === 'in trouble' ? before.trouble.sinceBootMs : Math.round(nowMs);
      const nextBootMs = Math.round(nowMs + after.forMs);
      const isProvisioned = after.resume.at === 'deliver';
      const trouble = { reason, seen, sinceBootMs, nextBootMs, tries: after.troubles };
      return { is: 'in trouble', trouble, isProvisioned };
    }
    if (after.at === 'intend' || after.at === 'provision') {
      // Another try is no end of the trouble.
      if (before.is === 'in trouble' || !('claim' in after)) return before;
      return { is: 'provisioning', deviceName: after.claim.deviceName };
    }
    const hasToken = event.type === 'issued' || event.type === 'adopted' || event.type === 'remembered';
    return after.at === 'deliver' && hasToken ? { is: 'connecting' } : before;
  }

  #turnTo(phase: Phase): void {
    const before = this.#phase;
    this.#phase = phase;
    if (stateOf(before) !== stateOf(phase)) this.#sinceMs = this.#ports.clock.bootMs();
    if (kindOf(before) === kindOf(phase)) return;
    for (const onChange of this.#watchers) onChange();
  }

  #kept(): string {
    const { fresh, backlog } = this.#ports.outbox;
    return `${readings(fresh.size + backlog.size)} kept`;
  }

  #since(sinceMs: number): string {
    return formatRoughDuration(this.#ports.clock.bootMs() - sinceMs);
  }
}

function kindOf(phase: Phase): string {
  return phase.is === 'in trouble' ? `${phase.is}: ${phase.trouble.reason}` : phase.is;
}

function stateOf(phase: Phase): ReportState {
  if (phase.is !== 'in trouble') return phase.is;
  return phase.isProvisioned ? 'offline' : 'not provisioned';
}

const UNREADABLE: ReadonlySet<RefusalReason> = new Set(['credentials-unreadable', 'credentials-newer']);

/** Undefined where the state says nothing new about them. */
function credentialsAfter(after: State): CredentialsStanding | undefined {
  switch (after.at) {
    case 'remember':
      return undefined;
    case 'wait':
      return UNREADABLE.has(after.refusal.reason) ? 'unreadable' : undefined;
    case 'intend':
      return 'none';
    case 'provision':
    case 'probe':
    case 'retry':
      return 'asked for';
    case 'adopt':
    case 'deliver':
      return after.saveAgainMs === undefined ? 'stored' : 'unsaved';
  }
}

function readings(count: number): string {
  return count === 1 ? '1 reading' : `${count} readings`;
}
