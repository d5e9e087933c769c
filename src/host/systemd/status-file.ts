/**
 * The status file `status.json` (0644) in the runtime directory, which any user of the host may read.
 *
 * It is replaced by a rename, so a reader sees the old or the new content; it is not synced, because the
 * directory is in memory. Synchronous calls for the same reason: they take a fifth of the CPU of asynchronous ones. It identifies its writer by pid, start time and boot. The end of the agent and a
 * failed start are written too.
 */

import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type EventId, logEvent } from '../../core/events/catalogue.ts';
import { errorCode, errorMessage } from '../../core/model/error-code.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { EventHistory } from '../../core/status/event-history.ts';
import type { RecordedEvent, StatusReport, StatusSink } from '../../core/status/report.ts';

export const STATUS_VERSION = 2;
export const STATUS_FILE = 'status.json';
/** Twice its largest size; a larger file is not a status file. */
const BYTES_MAX = 64 * 1024;

/** The process that wrote the file. */
export interface WriterProcess {
  readonly version: string;
  readonly pid: number;
  /** When it started, in clock ticks since the boot, because the kernel reuses pids. */
  readonly startTicks: number;
  readonly bootId: string;
}

/** How the agent ended; absent if it was killed. */
export interface Ending {
  readonly outcome: 'stopped' | 'failed';
  readonly exitCode: number;
  readonly bootMs: number;
  /** Why it could not start. */
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
  /** $RUNTIME_DIRECTORY, or its replacement. */
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
    this.#agent = {
      version,
      pid: process.pid,
      startTicks: readStartTicks('self') ?? 0,
      bootId: clock.bootId,
    };
  }

  publish(report: StatusReport): void {
    this.#report = report;
    this.#write({ report });
  }

  /** Writes how the agent ends. A failed start leaves the file of another running agent unchanged. */
  async end(outcome: Ending['outcome'], exitCode: number, reasons: Ending['reasons'] = []): Promise<void> {
    if (outcome === 'failed' && (await this.#isOwnedByOther())) return;
    const bootMs = Math.round(this.#options.clock.bootMs());
    const report = this.#report;
    this.#write({ ...(report && { report }), ending: { outcome, exitCode, bootMs, reasons } });
  }

  async #isOwnedByOther(): Promise<boolean> {
    const found = await readStatusFile(this.#options.directory, this.#agent.bootId);
    return found.is === 'there' && found.isAlive && found.content.agent.pid !== this.#agent.pid;
  }

  #write(content: Pick<StatusFileContent, 'report' | 'ending'>): void {
    const { directory, eventHistory, log } = this.#options;
    const file = join(directory, STATUS_FILE);
    const complete: StatusFileContent = {
      version: STATUS_VERSION,
      agent: this.#agent,
      ...content,
      events: eventHistory.recent,
    };
    try {
      // Named after this process, so that a second agent that cannot start spoils no other file.
      const temporary = `${file}.${this.#agent.pid}`;
      writeFileSync(temporary, `${JSON.stringify(complete)}\n`, { mode: 0o644 });
      // The umask of the service removes the permissions of others.
      chmodSync(temporary, 0o644);
      renameSync(temporary, file);
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
  /** `isAlive`: the process that wrote it is running. */
  | { readonly is: 'there'; readonly content: StatusFileContent; readonly isAlive: boolean };

/** Reads the file of `directory`, as a process of the boot `bootId`. Never rejects. */
export async function readStatusFile(directory: string, bootId: string): Promise<StatusFileResult> {
  const file = join(directory, STATUS_FILE);
  try {
    if ((await stat(file)).size > BYTES_MAX) return { is: 'unreadable', problem: `${file} is too large` };
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (!isContent(content))
      return {
        is: 'unreadable',
        problem: `${file} was written by another version of Firstlight, or is damaged`,
      };
    const { agent } = content;
    const isAlive =
      content.ending === undefined &&
      agent.bootId === bootId &&
      readStartTicks(agent.pid) === agent.startTicks;
    return { is: 'there', content, isAlive };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { is: 'missing' };
    return { is: 'unreadable', problem: `${file}: ${code ?? 'is damaged'}` };
  }
}

/** Checks what readers rely on. More is not needed: only root and the service's user can write the file. */
function isContent(value: unknown): value is StatusFileContent {
  if (typeof value !== 'object' || value === null || !('version' in value)) return false;
  if (value.version !== STATUS_VERSION || !('agent' in value) || !('events' in value)) return false;
  const { agent, events } = value;
  return typeof agent === 'object' && agent !== null && 'pid' in agent && Array.isArray(events);
}

/** Start of a process, in clock ticks since the boot (proc_pid_stat(5), field 22); undefined without it. */
function readStartTicks(pid: number | 'self'): number | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 2, the name, may hold blanks and brackets; everything after its last bracket is regular.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[22 - 3]);
    return Number.isSafeInteger(ticks) ? ticks : undefined;
  } catch {
    return undefined;
  }
}
