/**
 * The offset of the host's clock at the latest exchange of systemd-timesyncd, read over D-Bus with `busctl`,
 * without starting it.
 *
 * NTPMessage (org.freedesktop.timesync1(5)) has the four times from which the offset follows (RFC 5905
 * section 8). Undefined if timesyncd rates the exchange as a spike, or if it is older than 2 h. Never
 * rejects.
 */

import type { Clock } from '../../core/ports/clock.ts';
import { runCommand } from '../process/run-command.ts';

const DEADLINE_MS = 10_000;
/** timesyncd polls its server at least every 34 minutes (timesyncd.conf(5), PollIntervalMaxSec=). */
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
/**
 * Leap, version, mode, stratum, precision, root delay and dispersion, reference, the four times, spike,
 * packets, jitter.
 */
const SIGNATURE = '(uuuuittayttttbtt)';
const [TIMES_AT, SPIKE_AT] = [8, 12];

/** Server time minus host time, ms: positive if the host was behind. */
export async function readTimesyncdOffset(
  command: string,
  clock: Pick<Clock, 'sleep' | 'wallMs'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const spec = { command, arguments: ARGUMENTS, deadlineMs: DEADLINE_MS };
  const output = await runCommand(spec, clock, signal);
  const times = output === undefined ? undefined : parseTimes(output);
  if (times === undefined) return undefined;
  const [originUs, receiveUs, transmitUs, destinationUs] = times;
  if (Math.abs(clock.wallMs() - destinationUs / 1000) > AGE_MS_MAX) return undefined;
  return (receiveUs - originUs + (transmitUs - destinationUs)) / 2000;
}

/**
 * RFC 5905, T1 to T4: request sent, request received, response sent, response received; Unix µs of the
 * respective clock.
 */
type Times = readonly [originUs: number, receiveUs: number, transmitUs: number, destinationUs: number];

function parseTimes(output: string): Times | undefined {
  const fields = parseMessage(output);
  if (fields === undefined || fields[SPIKE_AT] !== false) return undefined;
  const [origin, receive, transmit, destination] = fields.slice(TIMES_AT, SPIKE_AT);
  // All are 0 before the first exchange.
  if (!isTime(origin) || !isTime(receive) || !isTime(transmit) || !isTime(destination)) return undefined;
  return [origin, receive, transmit, destination];
}

/** The fields of the struct in busctl's JSON of a variant. */
function parseMessage(output: string): readonly unknown[] | undefined {
  try {
    const variant: {
      readonly data?: readonly { readonly type?: unknown; readonly data?: unknown }[];
    } | null = JSON.parse(output);
    const message = variant?.data?.[0];
    return message?.type === SIGNATURE && Array.isArray(message.data) ? message.data : undefined;
  } catch {
    return undefined;
  }
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}
