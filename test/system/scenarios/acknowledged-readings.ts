/**
 * How many readings the server has acknowledged to the agent, in the words of the agent, process by process. The count of a
 * process is in the memory of the machine: it is read again and again, because a power cut or a restart ends it.
 */

import type { Sandbox } from '../../../src/sandbox/sandbox.ts';
import type { Machine } from '../machine.ts';
import { readingGridOf } from '../reading-grid.ts';

interface StatusFile {
  readonly agent?: { readonly pid: number; readonly startTicks: number; readonly bootId: string };
  readonly report?: { readonly deliveredReadings: number };
}

export class AcknowledgedReadings {
  readonly #byProcess = new Map<string, number>();

  async read(machine: Machine): Promise<void> {
    const { code, out } = await machine.run(['cat', '/run/firstlight/status.json']);
    if (code !== 0) return;
    const { agent, report } = JSON.parse(out) as StatusFile;
    if (!agent || !report) return;
    this.#byProcess.set(`${agent.bootId} ${agent.pid} ${agent.startTicks}`, report.deliveredReadings);
  }

  get processes(): number {
    return this.#byProcess.size;
  }

  get count(): number {
    return [...this.#byProcess.values()].reduce((sum, each) => sum + each, 0);
  }

  /** Readings, and the records of lost ones, which the agent counts as readings, too. */
  static storedIn(sandbox: Sandbox): number {
    const records = new Set(sandbox.points({ key: 'lostReadings' }).map(({ ts }) => ts));
    return readingGridOf(sandbox).readings + records.size;
  }
}
