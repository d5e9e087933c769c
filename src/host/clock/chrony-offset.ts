/**
 * How far the host's clock is from true time as chrony sees it, and what it is still correcting: asked of chronyd by `chronyc`, which any user may do.
 *
 * `chronyc -c tracking` (chronyc(1)) is one line of comma-separated fields. Nothing is known while chrony has no source that it trusts, or has heard
 * from none for hours. Never rejects.
 */

import type { Clock } from '../../core/ports/clock.ts';
import { runCommand } from '../process/run-command.ts';

const DEADLINE_MS = 10_000;
/** chrony asks its sources every 17 minutes at least, unless told otherwise (chrony.conf(5), maxpoll 10). */
const AGE_MS_MAX = 2 * 3_600_000;
const ARGUMENTS = ['-n', '-c', 'tracking'];
/** Reference ID, its address, stratum, time of the last exchange, offset, eight more, leap status. */
const FIELDS = 14;
const [EXCHANGE_AT, OFFSET_AT, LEAP_AT] = [3, 4, 13];
const UNSYNCHRONISED = 'Not synchronised';

/** True time minus host, ms: positive where the host is behind. */
export async function chronyOffset(
  command: string,
  clock: Pick<Clock, 'sleep' | 'wallMs'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const spec = { command, arguments: ARGUMENTS, deadlineMs: DEADLINE_MS };
  const fields = (await runCommand(spec, clock, signal))?.trim().split(',') ?? [];
  if (fields.length !== FIELDS || fields[LEAP_AT] === UNSYNCHRONISED) return undefined;
  const [exchangeS, offsetS] = [secondsIn(fields[EXCHANGE_AT]), secondsIn(fields[OFFSET_AT])];
  if (exchangeS === undefined || offsetS === undefined) return undefined;
  return Math.abs(clock.wallMs() - exchangeS * 1000) > AGE_MS_MAX
    ? undefined
    : Math.round(offsetS * 1e6) / 1000;
}

function secondsIn(text = ''): number | undefined {
  return /^-?\d{1,12}\.\d{1,9}$/.test(text) ? Number(text) : undefined;
}
