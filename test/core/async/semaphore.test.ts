/** Semaphore: number, order, aborted waiters and failing work. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Semaphore } from '../../../src/core/async/semaphore.ts';

function harness(count: number) {
  const semaphore = new Semaphore(count);
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const use = (name: string, signal = new AbortController().signal) =>
    semaphore.run(() => {
      started.push(name);
      return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
    }, signal);
  const end = async (name: string) => {
    ends.get(name)?.();
    await nextTurn();
  };
  return { semaphore, started, use, end };
}

it('a semaphore runs its number at once and the others in order', async () => {
  const { started, use, end } = harness(2);
  const all = ['a', 'b', 'c', 'd'].map((name) => use(name));
  await nextTurn();
  assert.deepEqual(started, ['a', 'b']);
  await end('b');
  assert.deepEqual(started, ['a', 'b', 'c']);
  await end('a');
  await end('c');
  await end('d');
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'c', 'd']);
});

it('an aborted waiter passes its turn to the next one', async () => {
  const { started, use, end } = harness(1);
  const stop = new AbortController();
  const [first, second, third] = [use('a'), use('b', stop.signal), use('c')];
  await nextTurn();
  stop.abort();
  assert.equal(await second, undefined);
  await end('a');
  assert.deepEqual(started, ['a', 'c']);
  await end('c');
  assert.deepEqual([await first, await third], ['a', 'c']);
});

it('failed work frees its slot', async () => {
  const { semaphore, started, use, end } = harness(1);
  const never = new AbortController().signal;
  await assert.rejects(
    semaphore.run(() => Promise.reject(new Error('bug')), never),
    /bug/,
  );
  const next = use('a');
  await end('a');
  assert.equal(await next, 'a');
  assert.deepEqual(started, ['a']);
});

it('an aborted signal takes no slot, and no slot is lost', async () => {
  const { use, end } = harness(1);
  const stop = new AbortController();
  const first = use('a');
  const second = use('b', stop.signal);
  await nextTurn();
  const ending = end('a');
  stop.abort();
  await ending;
  await end('b');
  await Promise.all([first, second]);
  const third = use('c');
  await end('c');
  assert.equal(await third, 'c');
  assert.equal(await use('d', stop.signal), undefined);
});
