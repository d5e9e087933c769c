/** The state of firstlight.service in one machine, as systemd and journald report it. */

import type { EventId } from '../../src/core/events/catalogue.ts';
import type { Machine } from './machine.ts';

export const UNIT = 'firstlight.service';

export interface JournalEntry {
  readonly message: string;
  /** Syslog priority: 3 error, 4 warning, 6 info. */
  readonly priority: number;
}

export class GatewayService {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** A property of the unit, such as `MainPID`; empty while systemd does not respond yet. */
  async property(name: string): Promise<string> {
    const { code, out } = await this.#machine.run(['systemctl', 'show', UNIT, '--value', '-p', name]);
    return code === 0 ? out.trim() : '';
  }

  async number(name: string): Promise<number> {
    return Number(await this.property(name));
  }

  async isActive(): Promise<boolean> {
    return (await this.property('ActiveState')) === 'active';
  }

  /** When it was last started, ms of the kernel's monotonic clock. */
  async startedMonotonicMs(): Promise<number> {
    return (await this.number('InactiveExitTimestampMonotonic')) / 1000;
  }

  /** The output of `systemctl status`. */
  async status(): Promise<string> {
    return (await this.#machine.run(['systemctl', 'status', UNIT, '--no-pager', '--full'])).out;
  }

  /** The agent's own lines of this boot, oldest first, without those of systemd about the unit. */
  async journal(): Promise<readonly JournalEntry[]> {
    const { out } = await this.#machine.run([
      ...['journalctl', '-b', '--no-pager', '-o', 'json', '--output-fields=MESSAGE,PRIORITY,_TRANSPORT'],
      ...[`_SYSTEMD_UNIT=${UNIT}`],
    ]);
    return out.split('\n').flatMap((line) => parseEntry(line));
  }

  /** The output of `journalctl -u` for this boot: the same lines and those of systemd about the unit. */
  async log(): Promise<string> {
    return (await this.#machine.run(['journalctl', '-b', '--no-pager', '-u', UNIT])).out;
  }

  /** Whether the agent has logged the event in this boot. */
  async hasEvent(event: EventId): Promise<boolean> {
    return (await this.journal()).some((entry) => isOfEvent(entry, event));
  }
}

/** Whether a line of the log is that of the event. */
export function isOfEvent({ message }: Pick<JournalEntry, 'message'>, event: EventId): boolean {
  return new RegExp(`event=${event}(?![-\\w])`).test(message);
}

function parseEntry(line: string): JournalEntry[] {
  if (!line.startsWith('{')) return [];
  const { MESSAGE, PRIORITY } = JSON.parse(line) as { MESSAGE?: unknown; PRIORITY?: string };
  return [{ message: String(MESSAGE), priority: Number(PRIORITY) }];
}
