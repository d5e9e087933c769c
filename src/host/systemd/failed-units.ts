/**
 * How many units of systemd have failed, asked of `systemctl` every five minutes beside the sampling, and known in between.
 *
 * One property of the manager, so the answer is a number however many have failed. A host that was not booted by systemd is not
 * asked (sd_booted(3)); one that does not answer has no number until it does. Never rejects.
 */

import { access } from 'node:fs/promises';
import type { Clock } from '../../core/ports/clock.ts';
import { PolledNumber } from '../process/polled-number.ts';
import { runCommand } from '../process/run-command.ts';

const DEADLINE_MS = 10_000;
/** There when systemd is process 1. */
const BOOTED_BY_SYSTEMD = '/run/systemd/system';

export interface FailedUnitsOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Given by tests; `systemctl` otherwise. */
  readonly command?: string;
  readonly booted?: string;
}

/** How many have failed. */
export function failedUnits(options: FailedUnitsOptions): PolledNumber {
  return new PolledNumber((signal) => countFailed(options, signal), options.clock);
}

async function countFailed(options: FailedUnitsOptions, signal: AbortSignal): Promise<number | undefined> {
  const { clock, command = 'systemctl', booted = BOOTED_BY_SYSTEMD } = options;
  try {
    await access(booted);
  } catch {
    return undefined;
  }
  const args = ['show', '--property=NFailedUnits', '--value'];
  const output = (
    await runCommand({ command, arguments: args, deadlineMs: DEADLINE_MS }, clock, signal)
  )?.trim();
  return output !== undefined && /^\d{1,6}$/.test(output) ? Number(output) : undefined;
}
