/**
 * The offset of the host's clock as chrony measures it, from `chronyc -c tracking` (chronyc(1)): one line of
 * comma-separated fields. Any user may run it. Undefined if chrony has no source that it trusts, or has not
 * reached one for 2 h. Never rejects.
 */

import type { Clock } from '../../core/ports/clock.ts';
import { runCommand } from '../process/run-command.ts';

const DEADLINE_MS = 10_000;
/** By default chrony polls its sources at least every 17 minutes (chrony.conf(5), maxpoll 10). */
const AGE_MS_MAX = 2 * 3_600_000;
const ARGUMENTS = ['-n', '-c', 'tracking'];
/** Reference ID, its address, stratum, time of the last exchange, offset, eight more, leap status. */
const FIELDS = 14;
const [EXCHANGE_AT, OFFSET_AT, LEAP_AT] = [3, 4, 13];
const UNSYNCHRONISED = 'Not synchronised';

/** True time minus host time, ms: positive if the host is behind. */
export async function readChronyOffset(
  command: string,
  clock: Pick<Clock, 'sleep' | 'wallMs'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const spec = { command, arguments: ARGUMENTS, deadlineMs: DEADLINE_MS };
  const fields = (await runCommand(spec, clock, signal))?.trim().split(',') ?? [];
  if (fields.length !== FIELDS || fields[LEAP_AT] === UNSYNCHRONISED) return undefined;
  const [exchangeS, offsetS] = [parseSeconds(fields[EXCHANGE_AT]), parseSeconds(fields[OFFSET_AT])];
  if (exchangeS === undefined || offsetS === undefined) return undefined;
  return Math.abs(clock.wallMs() - exchangeS * 1000) > AGE_MS_MAX
    ? undefined
    : Math.round(offsetS * 1e6) / 1000;
}

function parseSeconds(text = ''): number | undefined {
  return /^-?\d{1,12}\.\d{1,9}$/.test(text) ? Number(text) : undefined;
}
