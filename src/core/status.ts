/**
 * The status: what the agent is at, as one line for whoever asks the service manager (`systemctl status`).
 *
 *   starting: waiting for its turn to send, 1 reading kept
 *   provisioning gw-27cb096aaf99, 3 readings kept
 *   waiting for the server's first answer, 3 readings kept
 *   online, 132 readings delivered, last 4 s ago
 *   offline for 2 h, 720 readings kept (0 lost); the server does not answer
 *
 * Told the same steps as the narrator. Holds numbers, the device's name and the words of verdicts.ts, so no secret.
 */

import type { Clock, Outbox } from './ports.ts';
import type { RefusalReason } from './refusal.ts';
import type { Event, State } from './session-state.ts';
import { roughly } from './spans.ts';
import { VERDICTS } from './verdicts.ts';

export interface StatusPorts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly outbox: Pick<Outbox, 'fresh' | 'backlog' | 'losses'>;
}

type Phase =
  | { readonly is: 'starting' }
  | { readonly is: 'provisioning'; readonly deviceName: string }
  | { readonly is: 'connecting' }
  | { readonly is: 'online'; readonly lastMs: number }
  | {
      readonly is: 'in trouble';
      readonly sinceMs: number;
      readonly reason: RefusalReason;
      readonly isProvisioned: boolean;
    };

export class Status {
  /** Called when the line says something else, and not just other numbers. */
  onChange: () => void = () => {};
  readonly #ports: StatusPorts;
  #phase: Phase = { is: 'starting' };
  #delivered: () => number = () => 0;

  constructor(ports: StatusPorts) {
    this.#ports = ports;
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
        const what = phase.isProvisioned ? 'offline' : 'not provisioned';
        const [cause] = VERDICTS[phase.reason].sentence.split(':');
        return `${what} for ${this.#since(phase.sinceMs)}, ${this.#kept()} (${losses.total} lost); ${cause}`;
      }
    }
  }

  #phaseAfter(event: Event, after: State): Phase {
    const nowMs = this.#ports.clock.monotonicMs();
    const before = this.#phase;
    if (event.type === 'delivered') return { is: 'online', lastMs: nowMs };
    if (after.at === 'wait') {
      const sinceMs = before.is === 'in trouble' ? before.sinceMs : nowMs;
      const isProvisioned = after.resume.at === 'deliver';
      return { is: 'in trouble', sinceMs, reason: after.refusal.reason, isProvisioned };
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
    if (kindOf(before) !== kindOf(phase)) this.onChange();
  }

  #kept(): string {
    const { fresh, backlog } = this.#ports.outbox;
    return `${readings(fresh.size + backlog.size)} kept`;
  }

  #since(sinceMs: number): string {
    return roughly(this.#ports.clock.monotonicMs() - sinceMs);
  }
}

function kindOf(phase: Phase): string {
  return phase.is === 'in trouble' ? `${phase.is}: ${phase.reason}` : phase.is;
}

function readings(count: number): string {
  return count === 1 ? '1 reading' : `${count} readings`;
}
