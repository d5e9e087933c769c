/**
 * The status file: how the agent is, in its runtime directory, for any user of this host to read.
 *
 * `status.json`, 0644, written beside and renamed, so that a reader sees the one or the other. The directory is memory and
 * gone with the boot: nothing is synced. It names the process that wrote it, by pid, start and boot, so that one that was
 * killed is told from one that lives. A stop, and a start that failed, are written too. What cannot be written is told once.
 */

import { chmod, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type EventId, logEvent } from '../../core/events/catalogue.ts';
import { errorCode, errorMessage } from '../../core/model/error-code.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { EventHistory } from '../../core/status/event-history.ts';
import type { RecordedEvent, StatusReport, StatusSink } from '../../core/status/report.ts';
import { processStart } from '../process/process-start.ts';

export const STATUS_VERSION = 2;
export const STATUS_FILE = 'status.json';
/** Ten times what it ever is; more is no file of ours. */
const BYTES_MAX = 64 * 1024;

/** The process that wrote the file. */
export interface WriterProcess {
  readonly version: string;
  readonly pid: number;
  /** When it started, in the kernel's ticks since the boot: a pid alone may be another process by now. */
  readonly startTicks: number;
  readonly bootId: string;
}

/** How it ended, when it could still say so. */
export interface Ending {
  readonly outcome: 'stopped' | 'failed';
  readonly exitCode: number;
  readonly bootMs: number;
  /** Why it could not start, each with the event it is. */
  readonly reasons: readonly { readonly event: EventId; readonly message: string }[];
}

export interface StatusFileContent {
  readonly version: typeof STATUS_VERSION;
  readonly agent: WriterProcess;
  readonly report?: StatusReport;
  readonly ending?: Ending;
  readonly events: readonly RecordedEvent[];
}

export interface StatusFileOptions {
  /** $RUNTIME_DIRECTORY, or what stands in for it. */
  readonly directory: string;
  readonly version: string;
  readonly clock: Pick<Clock, 'bootId' | 'bootMs'>;
  readonly eventHistory: EventHistory;
  readonly log: Logger;
}

export class StatusFile implements StatusSink {
  readonly #options: StatusFileOptions;
  readonly #agent: WriterProcess;
  #report: StatusReport | undefined;
  #isFailureLogged = false;

  constructor(options: StatusFileOptions) {
    const { version, clock } = options;
    this.#options = options;
    this.#agent = { version, pid: process.pid, startTicks: processStart('self') ?? 0, bootId: clock.bootId };
  }

  async publish(report: StatusReport): Promise<void> {
    this.#report = report;
    await this.#write({ report });
  }

  /** The agent is about to end. A failed start leaves the file of another agent, which lives, as it is. */
  async end(outcome: Ending['outcome'], exitCode: number, reasons: Ending['reasons'] = []): Promise<void> {
    if (outcome === 'failed' && (await this.#isOwnedByOther())) return;
    const bootMs = Math.round(this.#options.clock.bootMs());
    const report = this.#report;
    await this.#write({ ...(report && { report }), ending: { outcome, exitCode, bootMs, reasons } });
  }

  async #isOwnedByOther(): Promise<boolean> {
    const found = await readStatusFile(this.#options.directory, this.#agent.bootId);
    return found.is === 'there' && found.isAlive && found.content.agent.pid !== this.#agent.pid;
  }

  async #write(content: Pick<StatusFileContent, 'report' | 'ending'>): Promise<void> {
    const { directory, eventHistory, log } = this.#options;
    const file = join(directory, STATUS_FILE);
    const whole: StatusFileContent = {
      version: STATUS_VERSION,
      agent: this.#agent,
      ...content,
      events: eventHistory.recent,
    };
    try {
      // Beside it, under the name of this process: a second agent that cannot start must not spoil the file of the first.
      const temporary = `${file}.${this.#agent.pid}`;
      await writeFile(temporary, `${JSON.stringify(whole)}\n`, { mode: 0o644 });
      // The service's umask closes what it makes to others.
      await chmod(temporary, 0o644);
      await rename(temporary, file);
    } catch (error) {
      if (this.#isFailureLogged) return;
      this.#isFailureLogged = true;
      logEvent(log, 'FL-STATUS-WRITE-FAILED', { detail: errorMessage(error) });
    }
  }
}

export type StatusFileResult =
  | { readonly is: 'missing' }
  | { readonly is: 'unreadable'; readonly problem: string }
  /** `isAlive`: the process that wrote it runs. */
  | { readonly is: 'there'; readonly content: StatusFileContent; readonly isAlive: boolean };

/** Reads the file of `directory`, as a process of the boot `bootId`. Never rejects. */
export async function readStatusFile(directory: string, bootId: string): Promise<StatusFileResult> {
  const file = join(directory, STATUS_FILE);
  try {
    if ((await stat(file)).size > BYTES_MAX) return { is: 'unreadable', problem: `${file} is too large` };
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (!isContent(content))
      return { is: 'unreadable', problem: `${file} is of another version of firstlight, or damaged` };
    const { agent } = content;
    const isAlive =
      content.ending === undefined && agent.bootId === bootId && processStart(agent.pid) === agent.startTicks;
    return { is: 'there', content, isAlive };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { is: 'missing' };
    return { is: 'unreadable', problem: `${file}: ${code ?? 'is damaged'}` };
  }
}

/** As far as a reader would stumble: the file is written by root or by the service's user only. */
function isContent(value: unknown): value is StatusFileContent {
  if (typeof value !== 'object' || value === null || !('version' in value)) return false;
  if (value.version !== STATUS_VERSION || !('agent' in value) || !('events' in value)) return false;
  const { agent, events } = value;
  return typeof agent === 'object' && agent !== null && 'pid' in agent && Array.isArray(events);
}
