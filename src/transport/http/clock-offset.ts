/** What time it is at an HTTP or HTTPS server, for the doctor: by its Date header, over a connection judged as any other. */

import type { Result } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { createResolver } from '../resolve.ts';
import { Dialer, type DialSettings } from './dial.ts';
import { hostHeader, type Origin } from './origin.ts';
import { serverClockMs } from './server-clock.ts';

/** How far this host's clock is ahead of the server's, ms, good to a second; undefined: it does not say. */
export async function measureClockOffset(
  origin: Origin,
  settings: DialSettings,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result<number | undefined>> {
  const opened = await new Dialer(origin, settings, { clock, resolve: createResolver() }).open(signal);
  if (!opened.ok) return opened;
  using _end = { [Symbol.dispose]: () => void opened.value.destroy() };
  const startedMs = clock.wallMs();
  const serverMs = await serverClockMs(opened.value, hostHeader(origin), clock, signal);
  if (serverMs === undefined) return { ok: true, value: undefined };
  // The header has whole seconds, cut off.
  return { ok: true, value: (startedMs + clock.wallMs()) / 2 - (serverMs + 500) };
}
