/** The backlog over several stores as one lane, oldest store first. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LossReport } from '../../src/core/model/loss-report.ts';
import type { Reading } from '../../src/core/model/reading.ts';
import { BacklogLane } from '../../src/outbox/backlog-lane.ts';
import { MemoryStore } from '../../src/outbox/memory/memory-store.ts';

function openLanes() {
  const options = { bootId: 'boot-1', bytesMax: 1_000_000, readingsMax: 1_000, losses: new LossReport() };
  const [first, second] = [new MemoryStore(options), new MemoryStore(options)];
  let drained = 0;
  const lane = new BacklogLane([first, second], () => {
    drained += 1;
  });
  return { first, second, lane, drained: () => drained };
}

const reading = (tsMs: number | undefined, bootMs = tsMs ?? 0): Reading => ({
  bootId: 'boot-1',
  bootMs,
  ...(tsMs !== undefined && { tsMs }),
  values: { a: bootMs },
  isSnapshot: true,
});
const times = (readings: readonly Reading[]) => readings.map(({ tsMs }) => tsMs);

it('BacklogLane takes from the first store, then from the second', async () => {
  const { first, second, lane, drained } = openLanes();
  await first.append([reading(1), reading(2)]);
  await second.append([reading(3), reading(4)]);
  assert.deepEqual(times(await lane.take(9)), [1, 2]);
  assert.deepEqual(times(await lane.take(9)), [3, 4]);
  assert.deepEqual(times(await lane.take(9)), []);
  await lane.acknowledge(3, lane.epoch);
  assert.deepEqual([first.size, second.size, lane.size], [0, 1, 1]);
  assert.equal(drained(), 0);
  await lane.acknowledge(1, lane.epoch);
  assert.equal(drained(), 1);
});

it('undated readings in one store hold back the newer store', async () => {
  const { first, second, lane } = openLanes();
  await first.append([reading(1), reading(undefined, 2)]);
  await second.append([reading(3)]);
  assert.deepEqual(times(await lane.take(9)), [1]);
  assert.deepEqual(times(await lane.take(9)), []);
  await first.setBootOffset(0);
  assert.deepEqual(times(await lane.take(9)), [2]);
  assert.deepEqual(times(await lane.take(9)), [3]);
});

it('a rewind of one store rewinds all, and voids earlier acknowledgements', async () => {
  const { first, second, lane } = openLanes();
  await first.append([reading(1)]);
  await second.append([reading(2)]);
  await lane.take(9);
  await lane.take(9);
  const { epoch } = lane;
  first.rewind();
  assert.notEqual(lane.epoch, epoch);
  await lane.acknowledge(2, epoch);
  assert.equal(lane.size, 2);
  assert.deepEqual(times(await lane.take(9)), [1]);
  assert.deepEqual(times(await lane.take(9)), [2]);
});

it('an empty acknowledgement of an empty lane is not reported as drained', async () => {
  const { lane, drained } = openLanes();
  await lane.acknowledge(0, lane.epoch);
  assert.equal(drained(), 0);
});

it('readings that a slow store returns after a rewind are taken again', async () => {
  const { first, second, lane } = openLanes();
  await first.append([reading(1), reading(2)]);
  const take = first.take.bind(first);
  let release = () => {};
  first.take = async (max) => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return take(max);
  };
  const late = lane.take(9);
  lane.rewind();
  release();
  assert.deepEqual(await late, []);
  first.take = take;
  assert.deepEqual(times(await lane.take(9)), [1, 2]);
  await lane.acknowledge(1, lane.epoch);
  assert.deepEqual([first.size, second.size], [1, 0]);
});
