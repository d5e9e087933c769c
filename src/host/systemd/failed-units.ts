/**
 * The number of failed systemd units, from one property of the manager, read with `systemctl`.
 *
 * There is no number on a host that systemd did not boot (sd_booted(3)), or if systemctl does not answer.
 * Never rejects.
 */

import { access } from 'node:fs/promises';
import type { Clock } from '../../core/ports/clock.ts';
import { PolledNumber } from '../process/polled-number.ts';
import { runCommand } from '../process/run-command.ts';

const DEADLINE_MS = 10_000;
/** Exists if systemd is process 1. */
const BOOTED_BY_SYSTEMD = '/run/systemd/system';

export interface FailedUnitsOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Default: `systemctl`. Set by tests only. */
  readonly command?: string;
  /** Default: /run/systemd/system, which exists if systemd is process 1. Set by tests only. */
  readonly booted?: string;
}

/** Reads the number of failed units. */
export function pollFailedUnits(options: FailedUnitsOptions): PolledNumber {
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
