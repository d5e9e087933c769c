/** The race between the addresses of a name, in virtual time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureReason, Result } from '../../src/core/failures/failure.ts';
import { HEAD_START_MS, raceAddresses } from '../../src/transport/race-addresses.ts';
import type { SocketAddress } from '../../src/transport/resolve.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';

/** What an address does: it responds or fails after a time, or never. `isLate`: an abort comes too late for it. */
type Plan =
  | { readonly afterMs: number; readonly reason?: FailureReason; readonly isLate?: true }
  | 'black hole';

function race(...plans: readonly Plan[]) {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const startedMs: number[] = [];
  const ended: string[] = [];
  const discarded: string[] = [];
  const addresses = plans.map((_, index): SocketAddress => ({ address: `${index}`, family: 4, port: 1 }));
  const attempt = async ({ address }: SocketAddress, signal: AbortSignal): Promise<Result<string>> => {
    startedMs[Number(address)] = clock.monotonicMs();
    const plan = plans[Number(address)];
    const isLate = typeof plan === 'object' && plan.isLate;
    const afterMs = typeof plan === 'object' ? plan.afterMs : Number.MAX_SAFE_INTEGER;
    await clock.sleep(afterMs, isLate ? new AbortController().signal : signal);
    ended.push(address);
    if (signal.aborted && !isLate) return { ok: false, failure: { reason: 'aborted', detail: '' } };
    const reason = typeof plan === 'object' ? plan.reason : undefined;
    return reason ? { ok: false, failure: { reason, detail: address } } : { ok: true, value: address };
  };
  const discard = (address: string) => void discarded.push(address);
  const result = raceAddresses(addresses, { attempt, discard }, clock, stop.signal);
  return { clock, stop, startedMs, ended, discarded, result };
}

test('an address that never responds delays the next one by a quarter of a second', async () => {
  const { clock, startedMs, ended, result } = race('black hole', { afterMs: 20 });
  await clock.advance(HEAD_START_MS + 20);
  assert.deepEqual(await result, { ok: true, value: '1' });
  assert.deepEqual(startedMs, [0, HEAD_START_MS]);
  assert.deepEqual(ended, ['1', '0'], 'the loser has ended too');
});

test('the first address is used alone if it responds in time', async () => {
  const { clock, startedMs, result } = race({ afterMs: HEAD_START_MS - 1 }, { afterMs: 1 });
  await clock.advance(HEAD_START_MS);
  assert.deepEqual(await result, { ok: true, value: '0' });
  assert.deepEqual(startedMs, [0]);
});

test('a slow first address is not abandoned, and wins if it responds first', async () => {
  const { clock, result } = race({ afterMs: 700 }, { afterMs: 600 });
  await clock.advance(700);
  assert.deepEqual(await result, { ok: true, value: '0' });
});

test('the next address is tried at once if one fails', async () => {
  const { clock, startedMs, result } = race({ afterMs: 5, reason: 'no-route' }, { afterMs: 1 });
  await clock.advance(6);
  assert.deepEqual(await result, { ok: true, value: '1' });
  assert.deepEqual(startedMs, [0, 5]);
});

test('if all fail, the failure is that of the first address with a route', async () => {
  const { clock, result } = race(
    { afterMs: 0, reason: 'no-route' },
    { afterMs: 9_000, reason: 'server-timeout' },
    { afterMs: 0, reason: 'port-closed' },
  );
  await clock.advance(10_000);
  assert.deepEqual(await result, { ok: false, failure: { reason: 'server-timeout', detail: '1' } });
});

test('what an attempt opens too late is discarded', async () => {
  const { clock, discarded, result } = race({ afterMs: HEAD_START_MS + 80, isLate: true }, { afterMs: 50 });
  await clock.advance(1_000);
  assert.deepEqual(await result, { ok: true, value: '1' });
  assert.deepEqual(discarded, ['0']);
});

test('an abort ends all attempts and the race', async () => {
  const { clock, stop, ended, result } = race('black hole', 'black hole', 'black hole');
  await clock.advance(10 * HEAD_START_MS);
  stop.abort();
  const aborted = await result;
  assert.equal(!aborted.ok && aborted.failure.reason, 'aborted');
  assert.equal(ended.length, 3);
});
