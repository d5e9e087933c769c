/**
 * What time it is at a server whose certificate we could not accept, by its Date header (RFC 9110 section 6.6.1).
 *
 * Asked over the very connection that is about to be given up, and with nothing of ours in it: no token, no path, no
 * name but its own. A hint for the operator; nobody sets a clock by it.
 */

import { request } from 'node:http';
import type { Socket } from 'node:net';
import { ChildAbortController } from '../../core/async/abort.ts';
import type { Clock } from '../../core/ports/clock.ts';

const TIMEOUT_MS = 5_000;

/** Unix ms, or undefined when it does not say so in time. Never rejects; the socket is of no use after it. */
export async function serverClockMs(
  socket: Socket,
  host: string,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<number | undefined> {
  using timer = new ChildAbortController(signal);
  const serverDate = new Promise<number | undefined>((resolve) => {
    const headRequest = request({
      method: 'HEAD',
      path: '/',
      createConnection: () => socket,
      headers: { Host: host, Connection: 'close' },
    });
    headRequest.on('response', (response) => {
      response.resume();
      resolve(Date.parse(response.headers.date ?? ''));
    });
    headRequest.on('error', () => resolve(undefined));
    headRequest.end();
  });
  const timedOut = clock.sleep(TIMEOUT_MS, timer.signal).then(() => undefined);
  const ms = await Promise.race([serverDate, timedOut]);
  timer.abort();
  return ms === undefined || Number.isNaN(ms) ? undefined : ms;
}
