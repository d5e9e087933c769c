/** AsyncSignal: no waiter misses a notification, and no wait leaves a listener behind. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { AsyncSignal } from '../../../src/core/async/async-signal.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

/** Both waits, each long enough that only a notification or an abort ends it. */
const waits = {
  wait: (signal: AsyncSignal, abort: AbortSignal, seen?: number) => signal.wait(abort, seen),
  waitUpTo: (signal: AsyncSignal, abort: AbortSignal, seen?: number) =>
    signal.waitUpTo(1_000, new VirtualClock(), abort, seen),
};

/** Whether the wait is over once everything that is due has run. */
async function isOver(waiting: Promise<void>): Promise<boolean> {
  let over = false;
  void waiting.then(() => {
    over = true;
  });
  await turn();
  return over;
}

for (const [name, wait] of Object.entries(waits)) {
  describe(name, () => {
    it('a wait lasts until a notification', async () => {
      const [changes, stop] = [new AsyncSignal(), new AbortController()];
      const waiting = wait(changes, stop.signal);
      assert.equal(await isOver(waiting), false);
      changes.notify();
      assert.equal(await isOver(waiting), true);
    });

    it('a wait ends at once after a notification since the seen version', async () => {
      const [changes, stop] = [new AsyncSignal(), new AbortController()];
      const { version } = changes;
      changes.notify();
      assert.equal(await isOver(wait(changes, stop.signal, version)), true);
    });

    it('a wait lasts if the seen version is the newest', async () => {
      const [changes, stop] = [new AsyncSignal(), new AbortController()];
      changes.notify();
      changes.notify();
      const waiting = wait(changes, stop.signal, changes.version);
      assert.equal(await isOver(waiting), false);
      stop.abort();
      assert.equal(await isOver(waiting), true);
    });

    it('a wait ends when the signal aborts, and at once if it has aborted', async () => {
      const [changes, stop] = [new AsyncSignal(), new AbortController()];
      const waiting = wait(changes, stop.signal);
      stop.abort();
      assert.equal(await isOver(waiting), true);
      assert.equal(await isOver(wait(changes, stop.signal)), true);
    });

    it('a notification ends all waits', async () => {
      const [changes, stop] = [new AsyncSignal(), new AbortController()];
      const all = [1, 2, 3].map(() => wait(changes, stop.signal));
      changes.notify();
      for (const waiting of all) assert.equal(await isOver(waiting), true);
    });

    it('a wait leaves no listener in the signal', async () => {
      const [changes, stop] = [new AsyncSignal(), new AbortController()];
      for (let round = 0; round < 20; round += 1) {
        const waiting = wait(changes, stop.signal);
        assert.equal(listenersOf(stop.signal), 1);
        changes.notify();
        await waiting;
      }
      assert.equal(listenersOf(stop.signal), 0);
    });
  });
}

it('waitUpTo ends after its time without a notification', async () => {
  const [changes, stop, clock] = [new AsyncSignal(), new AbortController(), new VirtualClock()];
  const waiting = changes.waitUpTo(1_000, clock, stop.signal);
  await clock.advance(999);
  assert.equal(await isOver(waiting), false);
  await clock.advance(1);
  assert.equal(await isOver(waiting), true);
  assert.equal(listenersOf(stop.signal), 0);
});

it('a notification during another one wakes new waiters', async () => {
  const [changes, stop] = [new AsyncSignal(), new AbortController()];
  const again = changes.wait(stop.signal).then(() => changes.wait(stop.signal, 1));
  changes.notify();
  assert.equal(await isOver(again), false);
  changes.notify();
  assert.equal(await isOver(again), true);
});

it('waitUntil ends at its time, at once if that is past, never without one', async () => {
  const [changes, stop, clock] = [new AsyncSignal(), new AbortController(), new VirtualClock()];
  await clock.advance(5_000);
  const waitUntil = (dueMs: number) => changes.waitUntil(dueMs, clock, stop.signal);
  const [due, past, endless] = [waitUntil(6_000), waitUntil(1_000), waitUntil(Number.POSITIVE_INFINITY)];
  await clock.advance(1);
  assert.deepEqual(await Promise.all([due, past, endless].map(isOver)), [false, true, false]);
  await clock.advance(999);
  assert.deepEqual(await Promise.all([due, endless].map(isOver)), [true, false]);
  changes.notify();
  assert.equal(await isOver(endless), true);
  assert.equal(listenersOf(stop.signal), 0);
});
