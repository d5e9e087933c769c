/**
 * How many units of systemd have failed, asked of `systemctl` every five minutes beside the sampling, and known in between.
 *
 * One property of the manager, so the answer is a number however many have failed. A host that was not booted by systemd is not
 * asked (sd_booted(3)); one that does not answer has no number until it does. Never rejects.
 */

import { access } from 'node:fs/promises';
import type { Clock } from '../core/ports.ts';
import { askCommand } from './ask-command.ts';

const ASK_EVERY_MS = 300_000;
const DEADLINE_MS = 10_000;
/** There when systemd is process 1. */
const BOOTED_BY_SYSTEMD = '/run/systemd/system';

export interface FailedUnitsOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Given by tests; `systemctl` otherwise. */
  readonly command?: string;
  readonly booted?: string;
}

export class FailedUnits {
  readonly #options: FailedUnitsOptions;
  #count: number | undefined;

  constructor(options: FailedUnitsOptions) {
    this.#options = options;
  }

  /** As it was last said. */
  get count(): number | undefined {
    return this.#count;
  }

  /** Asks now and every five minutes, until the signal aborts; can be called again then. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#count = await this.#ask(signal);
      await this.#options.clock.sleep(ASK_EVERY_MS, signal);
    }
  }

  async #ask(signal: AbortSignal): Promise<number | undefined> {
    const { clock, command = 'systemctl', booted = BOOTED_BY_SYSTEMD } = this.#options;
    try {
      await access(booted);
    } catch {
      return undefined;
    }
    const args = ['show', '--property=NFailedUnits', '--value'];
    const answer = (
      await askCommand({ command, arguments: args, deadlineMs: DEADLINE_MS }, clock, signal)
    )?.trim();
    return answer !== undefined && /^\d{1,6}$/.test(answer) ? Number(answer) : undefined;
  }
}
