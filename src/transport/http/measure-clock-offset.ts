/**
 * Compares the clock of this host with an HTTP or HTTPS server, for `firstlight doctor`. TLS is verified as
 * usual.
 */

import type { Result } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { createResolver } from '../resolve.ts';
import { Dialer, type DialSettings } from './dial.ts';
import { hostHeader, type Origin } from './origin.ts';
import { serverClockMs } from './server-clock.ts';

/**
 * How far the clock of this host is ahead of the server's, ms, ±1 s; undefined if the server sends no Date
 * header.
 */
export async function measureClockOffset(
  origin: Origin,
  settings: DialSettings,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result<number | undefined>> {
  const opened = await new Dialer(origin, settings, { clock, resolve: createResolver() }).open(signal);
  if (!opened.ok) return opened;
  using _connection = { [Symbol.dispose]: () => void opened.value.destroy() };
  const startedMs = clock.wallMs();
  const serverMs = await serverClockMs(opened.value, hostHeader(origin), clock, signal);
  if (serverMs === undefined) return { ok: true, value: undefined };
  // The header has whole seconds, rounded down.
  return { ok: true, value: (startedMs + clock.wallMs()) / 2 - (serverMs + 500) };
}
