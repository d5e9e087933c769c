/**
 * Reads the clock of a server from its Date header (RFC 9110 section 6.6.1). The request contains no token
 * and no path, because the server may be untrusted; for the same reason no clock is set by the result.
 */

import { request } from 'node:http';
import type { Socket } from 'node:net';
import { ChildAbortController } from '../../core/async/abort.ts';
import type { Clock } from '../../core/ports/clock.ts';

const TIMEOUT_MS = 5_000;

/**
 * Unix ms; undefined if there is no Date header within 5 s. Never rejects. The socket cannot be used
 * afterwards.
 */
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
