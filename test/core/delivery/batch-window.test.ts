/** The window on a lane: responses arrive in any order, acknowledgements are in the order of the lane. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type Batch, BatchWindow } from '../../../src/core/delivery/batch-window.ts';
import { BODY_BYTES_MAX } from '../../../src/core/delivery/encode.ts';
import type { Reading } from '../../../src/core/model/reading.ts';
import type { Lane } from '../../../src/core/ports/outbox.ts';
import { reading } from './delivery-harness.ts';

const UNLIMITED = {
  bytesMax: BODY_BYTES_MAX,
  pointsMax: Number.POSITIVE_INFINITY,
  takeProbe: () => false,
};

/** The plainest lane there is. */
class PlainLane implements Lane {
  epoch = 0;
  taken = 0;
  readings: Reading[];

  constructor(count: number) {
    this.readings = Array.from({ length: count }, (_, index) => reading(index + 1));
  }

  get size(): number {
    return this.readings.length;
  }

  async take(max: number): Promise<readonly Reading[]> {
    const more = this.readings.slice(this.taken, this.taken + max);
    this.taken += more.length;
    return more;
  }

  async acknowledge(count: number, epoch: number): Promise<void> {
    if (epoch !== this.epoch) return;
    assert.ok(count <= this.taken, 'never more than was taken');
    this.readings.splice(0, count);
    this.taken -= count;
  }

  rewind(): void {
    this.epoch += 1;
    this.taken = 0;
  }
}

const times = (batch: Batch | undefined) => batch?.readings.map(({ tsMs }) => tsMs ?? 0) ?? [];

async function sent(window: BatchWindow): Promise<Batch> {
  const batch = await window.next(0);
  assert.ok(batch);
  batch.state = 'in flight';
  return batch;
}

describe('a batch window', () => {
  it('leaves the lane to the window of other loops after its abort', { timeout: 10_000 }, async () => {
    const lane = new PlainLane(100);
    const take = lane.take.bind(lane);
    lane.take = async (max) => {
      await new Promise((resolve) => setImmediate(resolve));
      return take(max);
    };
    const stop = new AbortController();
    const late = new BatchWindow(lane, 16, UNLIMITED).next(0, stop.signal);
    stop.abort();
    lane.rewind();
    const window = new BatchWindow(lane, 16, UNLIMITED);
    const { epoch } = lane;
    assert.ok(await window.next(0, new AbortController().signal));
    assert.equal(await late, undefined);
    assert.equal(lane.epoch, epoch);
  });

  it('splits the lane into consecutive batches without a gap', async () => {
    const window = new BatchWindow(new PlainLane(100), 16, UNLIMITED);
    const batches = [await sent(window), await sent(window), await sent(window)];
    assert.deepEqual(
      batches.flatMap(times),
      Array.from({ length: batches.flatMap(times).length }, (_, i) => i + 1),
    );
  });

  it('opens at most its number of batches, and another when the oldest completes', async () => {
    const window = new BatchWindow(new PlainLane(100), 2, UNLIMITED);
    const first = await sent(window);
    const second = await sent(window);
    assert.equal(await window.next(0), undefined);
    await window.complete(second);
    assert.equal(await window.next(0), undefined);
    await window.complete(first);
    assert.ok(await window.next(0));
  });

  it('returns a failed batch before a new one, but not before it is due', async () => {
    const window = new BatchWindow(new PlainLane(100), 16, UNLIMITED);
    const first = await sent(window);
    first.state = 'waiting';
    first.dueMs = 500;
    assert.equal(window.dueMs, 500);
    assert.notEqual(await window.next(499), first);
    assert.equal(await window.next(500), first);
  });

  it('replaces a batch by its two halves, in order', async () => {
    const lane = new PlainLane(9);
    const window = new BatchWindow(lane, 16, UNLIMITED);
    const batch = await sent(window);
    window.split(batch);
    const [front, back] = [await sent(window), await sent(window)];
    assert.deepEqual([...times(front), ...times(back)], times(batch));
    await window.complete(back);
    assert.equal(lane.size, 9);
    await window.complete(front);
    assert.equal(lane.size, 0);
  });

  it('makes messages of at most the allowed points, and parts of a larger reading', async () => {
    const values = { a: 1, b: 2, c: 3, d: 4, e: 5 };
    const lane = new PlainLane(0);
    lane.readings = [1, 2, 3].map((tsMs) => reading(tsMs, values));
    const size = { ...UNLIMITED, pointsMax: 10 };
    const window = new BatchWindow(lane, 16, size);
    const two = await sent(window);
    assert.deepEqual([times(two), two.points, two.count], [[1, 2], 10, 2]);
    size.pointsMax = 2;
    const parts = [await sent(window), await sent(window), await sent(window)];
    assert.deepEqual(
      parts.map(({ readings, count }) => [readings[0]?.values, count]),
      [
        [{ a: 1, b: 2 }, 0],
        [{ c: 3 }, 0],
        [{ d: 4, e: 5 }, 1],
      ],
    );
    assert.ok(parts.every((part) => times(part)[0] === 3 && part.wholeReadings[0] === lane.readings[2]));
    await window.complete(two);
    assert.equal(lane.size, 1);
    for (const part of parts.reverse()) {
      assert.equal(lane.size, 1, 'a reading is complete with its last part');
      await window.complete(part);
    }
    assert.equal(lane.size, 0);
  });

  it('makes a waiting message smaller if the allowed points have become fewer', async () => {
    const size = { ...UNLIMITED };
    const window = new BatchWindow(new PlainLane(8), 16, size);
    const refused = await sent(window);
    assert.equal(refused.points, 8);
    refused.state = 'waiting';
    size.pointsMax = 2;
    assert.deepEqual(times(await sent(window)), [1, 2]);
    assert.deepEqual(times(await sent(window)), [3, 4]);
  });

  it('makes a waiting message shorter if the token leaves less room for the body', async () => {
    const lane = new PlainLane(0);
    const long = (letter: string) => ({ a: letter.repeat(400), b: letter.repeat(400) });
    lane.readings = [reading(1, long('x')), reading(2, { c: 1 })];
    const size = { ...UNLIMITED };
    const window = new BatchWindow(lane, 16, size);
    const made = await sent(window);
    assert.deepEqual([times(made), made.bodies.length], [[1, 2], 1]);
    made.state = 'waiting';
    size.bytesMax = 740;
    const parts = [await sent(window), await sent(window)];
    assert.ok(parts.every(({ bodies }) => bodies.every((body) => body.length <= 740)));
    assert.deepEqual(
      parts.map((part) => [times(part), part.bodies.length]),
      [
        [[1], 2],
        [[2], 1],
      ],
    );
  });

  it('makes one message of a single value on request, and full ones afterwards', async () => {
    const lane = new PlainLane(0);
    lane.readings = [reading(1, { a: 1, b: 2, c: 3 }), reading(2, { a: 1 })];
    let isWanted = true;
    const takeProbe = () => {
      const was = isWanted;
      isWanted = false;
      return was;
    };
    const window = new BatchWindow(lane, 16, { ...UNLIMITED, takeProbe });
    const made = [await sent(window), await sent(window), await sent(window), await sent(window)];
    assert.deepEqual(
      made.map(({ readings, count }) => [...readings.map(({ values }) => values), count]),
      [
        [{ a: 1 }, 0],
        [{ b: 2 }, 0],
        [{ c: 3 }, 1],
        [{ a: 1 }, 1],
      ],
    );
  });

  it('drops its batches when the lane is rewound and ignores later responses', async () => {
    const lane = new PlainLane(30);
    const window = new BatchWindow(lane, 16, UNLIMITED);
    const old = await sent(window);
    lane.rewind();
    const again = await sent(window);
    assert.deepEqual(times(again), times(old));
    await window.complete(old);
    assert.equal(lane.size, 30);
    await window.complete(again);
    assert.equal(lane.size, 30 - again.readings.length);
  });

  it('acknowledges each reading once, in any order of responses', async () => {
    const order = fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), order, async (count, picks) => {
        const lane = new PlainLane(count);
        const window = new BatchWindow(lane, 6, UNLIMITED);
        const open: Batch[] = [];
        let turn = 0;
        while (lane.size > 0) {
          const batch = await window.next(0);
          if (batch) {
            batch.state = 'in flight';
            open.push(batch);
          }
          if (batch && open.length < 6 && lane.size > open.flatMap(times).length) continue;
          const pick = (picks[turn++ % picks.length] ?? 0) % open.length;
          const [answered] = open.splice(pick, 1);
          if (answered) await window.complete(answered);
        }
        assert.equal(lane.taken, 0);
      }),
      { seed: 20_261_122, numRuns: 200 },
    );
  });
});
