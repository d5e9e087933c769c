/**
 * Whether a time service has set this host's clock: the real adapter of the `TimeSync` port. The witnesses, cheapest first:
 *
 *   1. /run/systemd/timesync/synchronized, which systemd-timesyncd touches whenever it sets or corrects the clock. /run
 *      is emptied by a boot, so the file is of this one.
 *   2. timedatectl, which has timedated ask the kernel: for chrony and ntpd too, and from inside our unit, which may not.
 *   3. The kernel itself, by adjtimex(2), which Node cannot call and perl can: for a host without systemd.
 *
 * The kernel forgets that it was synchronised when anybody sets the clock (`date -s`), until a time service says so again.
 * So its yes after a step confirms the step, and its no outranks the file. A plausible date is no witness.
 */

import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { logEvent } from '../../core/events/catalogue.ts';
import type { Clock, TimeSync } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import { runCommand } from '../process/run-command.ts';

export interface TimeSyncOptions {
  /** `/` on a host; a made-up tree in a test. */
  readonly root: string;
  readonly clock: Pick<Clock, 'wallMs' | 'sleep'>;
  readonly log: Logger;
  /** Names or paths of the programs; only a test gives others. */
  readonly commands?: { readonly timedatectl: string; readonly perl: string };
  /** That of the kernel's calls; only a test gives another. */
  readonly arch?: string;
  readonly deadlineMs?: number;
}

export function hostTimeSync(options: TimeSyncOptions): TimeSync {
  return new HostTimeSync(options);
}

/** A stop is not held up longer than this by a program that hangs, ms. */
const DEADLINE_MS = 3000;
/** Asks without any witness before that is told: half a minute at one every 2 s, as D-Bus is late in a boot. */
const UNANSWERED_CHECKS_MAX = 15;
/** A step is noticed within a minute: an older touch of the file was before it, and confirms nothing. */
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
    // The file outlives a clock set by hand, and a restart of this agent after it; the kernel's no does not lie.
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
    // The file system's clock is a tick behind; a time ahead of ours is from before the clock was set back.
    const ageMs = this.#options.clock.wallMs() - syncFileMs;
    return ageMs >= -1000 && ageMs <= SYNC_FILE_AGE_MS_MAX;
  }

  /** `otherwise` is the answer when the kernel cannot be asked. */
  async #isKernelSynchronised(signal: AbortSignal, fallback = false): Promise<boolean> {
    const answer = (await this.#queryTimedated(signal)) ?? (await this.#queryKernel(signal));
    if (signal.aborted) return false;
    if (answer === undefined && !fallback) await this.#countUnanswered();
    return answer ?? fallback;
  }

  async #countUnanswered(): Promise<void> {
    this.#unansweredChecks += 1;
    if (this.#unansweredChecks !== UNANSWERED_CHECKS_MAX) return;
    // Where there is its directory, timesyncd runs and will tell in the end.
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

/** The call's number (asm/unistd.h), by process.arch. */
const ADJTIMEX: Readonly<Record<string, number>> = {
  x64: 159,
  arm: 124,
  arm64: 171,
  riscv64: 171,
  ia32: 124,
};
/** The kernel's word for "not synchronised" (adjtimex(2)). */
const TIME_ERROR = 5;

/**
 * With `modes` 0 the call only reads. It fills its struct timex of at most 208 bytes; were the number another call's (a
 * perl for another machine than Node), nothing would be filled and nothing is said.
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
