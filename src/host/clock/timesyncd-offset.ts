/**
 * How far the host's clock was from its time server when systemd-timesyncd last asked it: asked of timesyncd, over D-Bus by `busctl`.
 *
 * The last exchange as timesyncd keeps it (org.freedesktop.timesync1(5), NTPMessage) has its four times, and the offset is made of them
 * (RFC 5905 section 8). A timesyncd that is not running is not started by being asked. Nothing is known while timesyncd doubts its server's answer, and of an exchange of hours ago. Never rejects.
 */

import type { Clock } from '../../core/ports/clock.ts';
import { runCommand } from '../process/run-command.ts';

const DEADLINE_MS = 10_000;
/** timesyncd asks its server every 34 minutes at least (timesyncd.conf(5), PollIntervalMaxSec=). */
const AGE_MS_MAX = 2 * 3_600_000;
const SERVICE = 'org.freedesktop.timesync1';
const ARGUMENTS = [
  '--system',
  '--json=short',
  '--auto-start=no',
  'call',
  SERVICE,
  '/org/freedesktop/timesync1',
  'org.freedesktop.DBus.Properties',
  'Get',
  'ss',
  `${SERVICE}.Manager`,
  'NTPMessage',
];
/** Leap, version, mode, stratum, precision, root delay and dispersion, reference, the four times, spike, packets, jitter. */
const SIGNATURE = '(uuuuittayttttbtt)';
const [TIMES_AT, SPIKE_AT] = [8, 12];

/** Server minus host, ms: positive where the host was behind. */
export async function timesyncdOffset(
  command: string,
  clock: Pick<Clock, 'sleep' | 'wallMs'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const spec = { command, arguments: ARGUMENTS, deadlineMs: DEADLINE_MS };
  const answer = await runCommand(spec, clock, signal);
  const times = answer === undefined ? undefined : timesIn(answer);
  if (times === undefined) return undefined;
  const [sentUs, receivedUs, answeredUs, arrivedUs] = times;
  if (Math.abs(clock.wallMs() - arrivedUs / 1000) > AGE_MS_MAX) return undefined;
  return (receivedUs - sentUs + (answeredUs - arrivedUs)) / 2000;
}

/** When the question left, came to the server, when its answer left there and came here: µs since 1970, each by the clock of its place. */
type Times = readonly [sentUs: number, receivedUs: number, answeredUs: number, arrivedUs: number];

function timesIn(answer: string): Times | undefined {
  const fields = fieldsIn(answer);
  if (fields === undefined || fields[SPIKE_AT] !== false) return undefined;
  const [sent, received, answered, arrived] = fields.slice(TIMES_AT, SPIKE_AT);
  // All are 0 before the first exchange.
  if (!isTime(sent) || !isTime(received) || !isTime(answered) || !isTime(arrived)) return undefined;
  return [sent, received, answered, arrived];
}

/** A variant that holds the one struct. */
function fieldsIn(answer: string): readonly unknown[] | undefined {
  try {
    const variant: {
      readonly data?: readonly { readonly type?: unknown; readonly data?: unknown }[];
    } | null = JSON.parse(answer);
    const message = variant?.data?.[0];
    return message?.type === SIGNATURE && Array.isArray(message.data) ? message.data : undefined;
  } catch {
    return undefined;
  }
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}
