/**
 * The store in memory: the contract of all stores, draining, and readings that are delivered out of order.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { LossReport } from '../../../src/core/model/loss-report.ts';
import type { Reading } from '../../../src/core/model/reading.ts';
import { MemoryStore } from '../../../src/outbox/memory/memory-store.ts';
import { readingStoreContract } from '../../contracts/reading-store.ts';
import { BOOT, gapRecord, OFFSET_MS, SampledReadings, times } from '../../doubles/sampled-readings.ts';
import { repetitions } from '../../repetitions.ts';

function makeStore({ readingsMax = 100, bytesMax = 100_000 } = {}) {
  const losses = new LossReport();
  return { store: new MemoryStore({ bootId: BOOT, bytesMax, readingsMax, losses }), losses };
}

const bound = { paddingBytes: 0, holds: 8, overflows: 20, bytesMax: 100_000, why: 'memory full' };

readingStoreContract('the store in memory, bounded by count', async () => ({
  ...makeStore({ readingsMax: 8 }),
  ...bound,
}));

readingStoreContract('the store in memory, bounded by bytes', async () => ({
  ...makeStore({ bytesMax: 10_000 }),
  ...bound,
  paddingBytes: 1_000,
  bytesMax: 10_000,
}));

const fill = (store: MemoryStore, host: SampledReadings, count: number, isDated = true) => {
  for (const reading of host.batch(count, isDated)) store.add(reading);
};

it('the store keeps the newest reading even if it exceeds the bound', async () => {
  const { store, losses } = makeStore({ bytesMax: 10 });
  fill(store, new SampledReadings(), 3);
  assert.deepEqual([times(await store.take(9)), losses.total], [[3], 2]);
});

it('a reading delivered undated is not taken again, but its values are carried on', async () => {
  const { store } = makeStore();
  const host = new SampledReadings();
  fill(store, host, 3, false);
  const newest = store.newest();
  assert.ok(newest && newest.bootMs === 3);
  store.add(host.next(false, false));
  await store.setBootOffset(OFFSET_MS);
  store.markDelivered(newest);
  assert.equal(store.size, 3);
  assert.deepEqual(times(await store.take(2)), [1, 2]);
  await store.acknowledge(2, store.epoch);
  const moved = store.drain();
  assert.deepEqual(times(moved), [4]);
  host.assertHistory(moved);
});

it('a taken reading that is delivered undated counts in the acknowledgement', async () => {
  const { store } = makeStore();
  const host = new SampledReadings();
  fill(store, host, 3, false);
  const newest = store.newest();
  assert.ok(newest);
  store.add(host.next(false, false));
  await store.setBootOffset(OFFSET_MS);
  assert.deepEqual(times(await store.take(3)), [1, 2, 3]);
  store.markDelivered(newest);
  assert.equal(store.size, 3);
  await store.acknowledge(3, store.epoch);
  assert.deepEqual([store.size, times(await store.take(9))], [1, [4]]);
});

it('a taken head that is delivered undated leaves with its acknowledgement', async () => {
  const { store } = makeStore();
  const host = new SampledReadings();
  fill(store, host, 1, false);
  const newest = store.newest();
  assert.ok(newest);
  for (let more = 0; more < 2; more += 1) store.add(host.next(false, false));
  await store.setBootOffset(OFFSET_MS);
  assert.deepEqual(times(await store.take(2)), [1, 2]);
  store.markDelivered(newest);
  await store.acknowledge(1, store.epoch);
  assert.equal(store.size, 2);
  store.rewind();
  assert.deepEqual(times(await store.take(9)), [2, 3]);
});

it('a head that is delivered undated leaves at once', () => {
  const { store } = makeStore();
  fill(store, new SampledReadings(), 1, false);
  const newest = store.newest();
  assert.ok(newest);
  store.markDelivered(newest);
  store.markDelivered(newest);
  assert.deepEqual([store.size, store.bytes, store.newest()], [0, 0, undefined]);
});

it('drain returns a full reading first, gap records aside, with known timestamps', async () => {
  const { store } = makeStore();
  const host = new SampledReadings();
  fill(store, host, 4, false);
  await store.setBootOffset(OFFSET_MS);
  await store.take(2);
  await store.acknowledge(2, store.epoch);
  await store.take(1);
  const { epoch } = store;
  const moved = store.drain();
  assert.notEqual(store.epoch, epoch);
  assert.deepEqual(
    moved.map(({ bootMs, tsMs, isSnapshot }) => [bootMs, tsMs, isSnapshot]),
    [
      [3, OFFSET_MS + 3, true],
      [4, OFFSET_MS + 4, false],
    ],
  );
  host.assertHistory(moved);
  store.add(gapRecord(1, 9));
  store.add(host.next());
  const later = store.drain();
  assert.deepEqual(times(later), [9, 5]);
  host.assertHistory(later.slice(1));
  assert.deepEqual([store.size, store.bytes], [0, 0]);
});

it('drain leaves the given reading and all newer ones in the store', async () => {
  const { store } = makeStore();
  const host = new SampledReadings();
  fill(store, host, 5, false);
  const newest = store.newest();
  store.add(host.next(false, false));
  await store.setBootOffset(OFFSET_MS);
  const moved = store.drain(newest);
  const remaining = await store.take(9);
  assert.deepEqual(
    [times(moved), times(remaining)],
    [
      [1, 2, 3, 4],
      [5, 6],
    ],
  );
  host.assertHistory([...moved, ...remaining]);
});

it('newest is full after a loss, and markDelivered accepts the same object', async () => {
  const { store, losses } = makeStore({ readingsMax: 1 });
  const host = new SampledReadings();
  fill(store, host, 3, false);
  const newest = store.newest();
  assert.ok(newest);
  host.assertHistory([newest]);
  await store.setBootOffset(OFFSET_MS);
  store.markDelivered(newest);
  assert.deepEqual([store.size, losses.total], [0, 2]);
});

it('oldestBootMs is the time of the oldest undelivered reading', async () => {
  const { store } = makeStore();
  assert.equal(store.oldestBootMs(), undefined);
  fill(store, new SampledReadings(), 3);
  await store.take(1);
  assert.equal(store.oldestBootMs(), 1);
  await store.acknowledge(1, store.epoch);
  assert.equal(store.oldestBootMs(), 2);
});

it('any history of undated deliveries, drops and drains delivers what was sampled', async () => {
  const operation = fc.constantFrom(
    'add',
    'add',
    'add',
    'gap',
    'newest',
    'mark delivered',
    'take',
    'acknowledge',
    'rewind',
    'drain',
  );
  const check = async (operations: string[], readingsMax: number) => {
    const { store } = makeStore({ readingsMax });
    const host = new SampledReadings();
    const delivered = new Map<number, Reading>();
    const record = (readings: readonly Reading[]) => {
      for (const reading of readings) {
        if (reading.gap) continue;
        assert.ok(!delivered.has(reading.bootMs), `${reading.bootMs} comes twice`);
        delivered.set(reading.bootMs, reading);
      }
    };
    let taken: Reading[] = [];
    let { epoch } = store;
    let newest: Reading | undefined;
    let isFirst = true;
    const outOfOrder = new Set<number>();
    for (const [at, what] of operations.entries()) {
      if (what === 'add') store.add(host.next(isFirst, at > 20));
      if (what === 'add') isFirst = false;
      if (what === 'gap') store.add(gapRecord(1, 1_000));
      if (what === 'newest') newest = store.newest();
      if (what === 'mark delivered' && newest && !newest.gap) {
        const { size } = store;
        store.markDelivered(newest);
        if (store.size < size) record([newest]);
        outOfOrder.add(newest.bootMs);
        newest = undefined;
      }
      if (at === 20) await store.setBootOffset(OFFSET_MS);
      if (store.epoch !== epoch) taken = [];
      epoch = store.epoch;
      if (what === 'take') taken.push(...(await store.take(3)));
      if (what === 'acknowledge') {
        const count = Math.min(2, taken.length);
        await store.acknowledge(2, store.epoch);
        record(taken.splice(0, count).filter(({ bootMs }) => !delivered.has(bootMs)));
      }
      if (what === 'rewind') store.rewind();
      if (what === 'drain') record(store.drain());
      if (store.epoch !== epoch) taken = [];
      epoch = store.epoch;
    }
    record(store.drain());
    host.assertHistory(
      [...delivered.values()].sort((a, b) => a.bootMs - b.bootMs),
      outOfOrder,
    );
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { maxLength: 60, size: 'max' }),
      fc.integer({ min: 1, max: 9 }),
      check,
    ),
    { seed: 20_261_122, numRuns: repetitions(500, 100) },
  );
});

it('removed readings are not kept alive', { skip: globalThis.gc ? false : 'needs --expose-gc' }, async () => {
  const { store } = makeStore();
  const pass = async () => {
    const reading: Reading = { bootId: BOOT, bootMs: 1, tsMs: 1, values: { a: 1 }, isSnapshot: true };
    store.add(reading);
    await store.take(1);
    await store.acknowledge(1, store.epoch);
    return new WeakRef(reading);
  };
  const removed = await pass();
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  assert.equal(removed.deref(), undefined);
});

const PASSING = repetitions(100_000, 30_000);

it(`a queue of 1,000 readings does not grow when ${PASSING} pass through`, {
  skip: globalThis.gc ? false : 'needs --expose-gc',
}, async () => {
  const { store } = makeStore({ readingsMax: 10_000, bytesMax: 10_000_000 });
  const pass = async (count: number) => {
    for (let tsMs = 0; tsMs < count; tsMs += 1) {
      store.add({ bootId: BOOT, bootMs: tsMs, tsMs, values: { a: tsMs }, isSnapshot: true });
      if (store.size <= 1_000) continue;
      await store.take(1);
      await store.acknowledge(1, store.epoch);
    }
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  const before = await pass(10_000);
  const grownBytes = (await pass(PASSING)) - before;
  assert.ok(grownBytes < 2_000_000, `${grownBytes} bytes`);
});
