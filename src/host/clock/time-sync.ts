/**
 * Whether a time service has set this host's clock (the `TimeSync` port). The sources, cheapest first:
 *
 *   1. /run/systemd/timesync/synchronized: timesyncd touches it at each correction; a boot empties /run.
 *   2. timedatectl, which asks the kernel through timedated: for chrony and ntpd too, allowed in the unit.
 *   3. adjtimex(2), called by perl, because Node cannot: for a host without systemd.
 *
 * If anyone sets the clock (`date -s`), the kernel reports "not synchronised" until a time service corrects
 * it. So the kernel's "yes" after a step confirms the step, and its "no" takes precedence over the file. A
 * plausible date proves nothing.
 */

import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { logEvent } from '../../core/events/catalogue.ts';
import type { Clock, TimeSync } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import { runCommand } from '../process/run-command.ts';

export interface TimeSyncOptions {
  /** `/`, or a directory tree of a test. */
  readonly root: string;
  readonly clock: Pick<Clock, 'wallMs' | 'sleep'>;
  readonly log: Logger;
  /** Names or paths of the programs. Set by tests only. */
  readonly commands?: { readonly timedatectl: string; readonly perl: string };
  /** Default: process.arch. Set by tests only. */
  readonly arch?: string;
  readonly deadlineMs?: number;
}

export function hostTimeSync(options: TimeSyncOptions): TimeSync {
  return new HostTimeSync(options);
}

/** How long a program that hangs can delay a check, ms. */
const DEADLINE_MS = 3000;
/** Checks without any source before the event is logged: 30 s at one every 2 s, because D-Bus starts late. */
const UNANSWERED_CHECKS_MAX = 15;
/** The agent notices a step within a minute. An older change of the file confirms nothing. */
const SYNC_FILE_AGE_MS_MAX = 90_000;

class HostTimeSync implements TimeSync {
  readonly #options: TimeSyncOptions;
  readonly #syncFilePath: string;
  #syncFileMs: number | undefined;
  #unansweredChecks = 0;

  constructor(options: TimeSyncOptions) {
    this.#options = options;
    this.#syncFilePath = join(options.root, 'run/systemd/timesync/synchronized');
  }

  async isSynchronised(signal: AbortSignal): Promise<boolean> {
    this.#syncFileMs = await modifiedMs(this.#syncFilePath);
    const hasSyncFile = this.#syncFileMs !== undefined;
    // The file remains after someone sets the clock by hand; then the kernel's "no" is right.
    return await this.#isKernelSynchronised(signal, hasSyncFile);
  }

  async confirmsStep(signal: AbortSignal): Promise<boolean> {
    const beforeMs = this.#syncFileMs;
    this.#syncFileMs = await modifiedMs(this.#syncFilePath);
    if (this.#syncFileMs !== undefined && this.#syncFileMs !== beforeMs && this.#isFresh(this.#syncFileMs))
      return true;
    return await this.#isKernelSynchronised(signal);
  }

  #isFresh(syncFileMs: number): boolean {
    // The file system's clock is up to a tick behind. A later time dates from before the clock was set back.
    const ageMs = this.#options.clock.wallMs() - syncFileMs;
    return ageMs >= -1000 && ageMs <= SYNC_FILE_AGE_MS_MAX;
  }

  /** Returns `fallback` if the kernel cannot be queried. */
  async #isKernelSynchronised(signal: AbortSignal, fallback = false): Promise<boolean> {
    const answer = (await this.#queryTimedated(signal)) ?? (await this.#queryKernel(signal));
    if (signal.aborted) return false;
    if (answer === undefined && !fallback) await this.#countUnanswered();
    return answer ?? fallback;
  }

  async #countUnanswered(): Promise<void> {
    this.#unansweredChecks += 1;
    if (this.#unansweredChecks !== UNANSWERED_CHECKS_MAX) return;
    // If its directory exists, timesyncd is running and will write the file eventually.
    if ((await modifiedMs(dirname(this.#syncFilePath))) !== undefined) return;
    logEvent(this.#options.log, 'FL-CLOCK-UNVERIFIABLE');
  }

  async #queryTimedated(signal: AbortSignal): Promise<boolean | undefined> {
    const output = await this.#run(
      this.#options.commands?.timedatectl ?? 'timedatectl',
      ['show', '--property=NTPSynchronized', '--value'],
      signal,
    );
    if (output === 'yes\n') return true;
    return output === 'no\n' ? false : undefined;
  }

  async #queryKernel(signal: AbortSignal): Promise<boolean | undefined> {
    const call = ADJTIMEX[this.#options.arch ?? process.arch];
    if (call === undefined) return undefined;
    const output = await this.#run(
      this.#options.commands?.perl ?? 'perl',
      ['-e', adjtimexScript(call)],
      signal,
    );
    const state = /^adjtimex ([0-5])$/.exec(output ?? '')?.[1];
    return state === undefined ? undefined : Number(state) !== TIME_ERROR;
  }

  #run(command: string, args: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    const { deadlineMs = DEADLINE_MS, clock } = this.#options;
    return runCommand({ command, arguments: args, deadlineMs }, clock, signal);
  }
}

/** Number of the system call (asm/unistd.h), by process.arch. */
const ADJTIMEX: Readonly<Record<string, number>> = {
  x64: 159,
  arm: 124,
  arm64: 171,
  riscv64: 171,
  ia32: 124,
};
/** "Not synchronised" (adjtimex(2)). */
const TIME_ERROR = 5;

/**
 * With `modes` 0 the call only reads. It fills struct timex, at most 208 bytes. If perl is built for another
 * architecture than Node, the number means another call, nothing is filled, and the script prints nothing.
 */
function adjtimexScript(call: number): string {
  return `my $timex = "\\0" x 256; my $state = syscall(${call}, $timex); print "adjtimex $state" if $timex =~ /[^\\0]/`;
}

async function modifiedMs(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return undefined;
  }
}
