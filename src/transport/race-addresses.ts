/**
 * Tries the addresses of a name side by side (Happy Eyeballs, RFC 8305): an address that swallows every packet delays the
 * connection by a quarter of a second, at each start alike, so that no choice has to be stored.
 */

import { ChildAbortController } from '../core/async/abort.ts';
import { AsyncSignal } from '../core/async/async-signal.ts';
import { aborted, type Failure, type Result } from '../core/failures/failure.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { SocketAddress } from './resolve.ts';

/** The recommended Connection Attempt Delay (RFC 8305 section 8), ms. */
export const HEAD_START_MS = 250;

export interface AddressRace<T> {
  /** Must end soon after its signal aborts. */
  readonly attempt: (address: SocketAddress, signal: AbortSignal) => Promise<Result<T>>;
  /** Closes what an attempt opened too late. */
  readonly discard: (opened: T) => void;
}

/**
 * The first success. Each attempt starts `HEAD_START_MS` after the one before, or when that has failed, and continues
 * while later ones run. If all fail: the failure of the first address that has a route.
 */
export async function raceAddresses<T>(
  addresses: readonly SocketAddress[],
  { attempt, discard }: AddressRace<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Result<T>> {
  using attemptsAbort = new ChildAbortController(signal);
  const ended = new AsyncSignal();
  const failures: Failure[] = [];
  const winners: T[] = [];
  const runAttempt = async (address: SocketAddress, index: number): Promise<void> => {
    try {
      const result = await attempt(address, attemptsAbort.signal);
      if (!result.ok) failures[index] = result.failure;
      else if (winners.push(result.value) > 1) discard(result.value);
    } finally {
      ended.notify();
    }
  };
  const attempts: Promise<void>[] = [];
  for (const [index, address] of addresses.entries()) {
    const { version } = ended;
    attempts.push(runAttempt(address, index));
    await ended.waitUpTo(HEAD_START_MS, clock, signal, version);
    if (winners.length > 0 || signal.aborted) break;
  }
  // Each attempt notifies once.
  while (winners.length === 0 && ended.version < attempts.length && !signal.aborted)
    await ended.wait(signal, ended.version);
  attemptsAbort.abort();
  await Promise.all(attempts);
  const [winner] = winners;
  if (winner !== undefined && !signal.aborted) return { ok: true, value: winner };
  if (winner !== undefined) discard(winner);
  if (signal.aborted) return aborted();
  const failure = failures.find(({ reason }) => reason !== 'no-route') ?? failures[0];
  return failure ? { ok: false, failure } : aborted();
}
