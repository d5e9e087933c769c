/**
 * Waits for a socket to connect, and wraps failures as results; shared by `dial.ts` and `tcp-connect.ts`.
 */

import type { Socket } from 'node:net';
import type { Failure, Result } from '../../core/failures/failure.ts';

export const ABORTED = Symbol('aborted');

/** Undefined after `event`; else the error, or ABORTED, which destroys the socket. */
export async function socketResult(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<unknown> {
  if (signal.aborted) {
    socket.destroy();
    return ABORTED;
  }
  const eventResult = new Promise<unknown>((resolve) => {
    socket.once(event, () => resolve(undefined));
    // Not removed: without a listener, a later error of the socket would end the process.
    socket.on('error', resolve);
    socket.once('close', () => resolve({ code: 'ECONNRESET' }));
  });
  let onAbort: () => void = () => {};
  const abortResult = new Promise<symbol>((resolve) => {
    onAbort = () => resolve(ABORTED);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  const result = await Promise.race([eventResult, abortResult]);
  signal.removeEventListener('abort', onAbort);
  if (result === ABORTED) socket.destroy();
  return result;
}

export function fail(reason: Failure['reason'], detail: string): Result<never> {
  return failWith({ reason, detail });
}

export function failWith(failure: Failure): Result<never> {
  return { ok: false, failure };
}
