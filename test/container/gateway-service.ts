/** What systemd and its journal say of firstlight inside one machine. */

import type { Machine } from './machine.ts';

export const UNIT = 'firstlight.service';

export interface Entry {
  readonly message: string;
  /** As syslog has them: 3 error, 4 warning, 6 info. */
  readonly priority: number;
}

export class GatewayService {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** One property of the unit, `MainPID`; empty while systemd cannot be asked yet. */
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

  /** When it was last started, by this process's `performance.now`-like monotonic clock of the kernel, ms. */
  async startedMonotonicMs(): Promise<number> {
    return (await this.number('InactiveExitTimestampMonotonic')) / 1000;
  }

  /** What an operator types first. */
  async status(): Promise<string> {
    return (await this.#machine.run(['systemctl', 'status', UNIT, '--no-pager', '--full'])).out;
  }

  /** The lines of this boot, oldest first; its own, without those of systemd about it. */
  async journal(): Promise<readonly Entry[]> {
    const { out } = await this.#machine.run([
      ...['journalctl', '-b', '--no-pager', '-o', 'json', '--output-fields=MESSAGE,PRIORITY,_TRANSPORT'],
      ...[`_SYSTEMD_UNIT=${UNIT}`],
    ]);
    return out.split('\n').flatMap((line) => entryIn(line));
  }

  /** The same with the lines of systemd about it, as an operator sees them. */
  async log(): Promise<string> {
    return (await this.#machine.run(['journalctl', '-b', '--no-pager', '-u', UNIT])).out;
  }

  async output(text: string): Promise<boolean> {
    return (await this.journal()).some(({ message }) => message.includes(text));
  }
}

function entryIn(line: string): Entry[] {
  if (!line.startsWith('{')) return [];
  const { MESSAGE, PRIORITY } = JSON.parse(line) as { MESSAGE?: unknown; PRIORITY?: string };
  return [{ message: String(MESSAGE), priority: Number(PRIORITY) }];
}
