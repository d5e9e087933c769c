/**
 * A socket on its way to being of use, and the ways in which it is not: the small change of dial.ts and reach.ts.
 */

import type { Socket } from 'node:net';
import type { Failure, Result } from '../../core/failures/failure.ts';

/** A refusal on its way through Node, which wants errors. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.detail);
    this.failure = failure;
  }
}

export const ABORTED = Symbol('aborted');
/** Undefined when `event` came; the error, or ABORTED, when that came first: then the socket is destroyed. */
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
    // Stays: an error that comes later belongs to whoever uses the socket then, and must not end the process.
    socket.on('error', resolve);
    socket.once('close', () => resolve({ code: 'ECONNRESET' }));
  });
  let onAbort: () => void = () => {};
  const aborted = new Promise<symbol>((resolve) => {
    onAbort = () => resolve(ABORTED);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  const result = await Promise.race([eventResult, aborted]);
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
