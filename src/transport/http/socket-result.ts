/**
 * A socket on its way to being of use, and the ways in which it is not: the small change of dial.ts and reach.ts.
 */

import type { Socket } from 'node:net';
import type { Refusal, Result } from '../../core/failures/failure.ts';

/** A refusal on its way through Node, which wants errors. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

export const ABORTED = Symbol('aborted');
/** Undefined when `event` came; the error, or ABORTED, when that came first: then the socket is destroyed. */
export async function outcome(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<unknown> {
  if (signal.aborted) {
    socket.destroy();
    return ABORTED;
  }
  const first = new Promise<unknown>((resolve) => {
    socket.once(event, () => resolve(undefined));
    // Stays: an error that comes later belongs to whoever uses the socket then, and must not end the process.
    socket.on('error', resolve);
    socket.once('close', () => resolve({ code: 'ECONNRESET' }));
  });
  let stop: () => void = () => {};
  const aborted = new Promise<symbol>((resolve) => {
    stop = () => resolve(ABORTED);
    signal.addEventListener('abort', stop, { once: true });
  });
  const result = await Promise.race([first, aborted]);
  signal.removeEventListener('abort', stop);
  if (result === ABORTED) socket.destroy();
  return result;
}

export function refused(reason: Refusal['reason'], detail: string): Result<never> {
  return refusedFor({ reason, detail });
}

export function refusedFor(refusal: Refusal): Result<never> {
  return { ok: false, refusal };
}
