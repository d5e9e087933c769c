/**
 * The contract of `ReadingStore`: order, a bound that drops and reports the oldest readings, acknowledgement
 * by epoch, timestamps set later, and an exact history after every gap. The last test compares it with a
 * plain array.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { LossReport } from '../../src/core/model/loss-report.ts';
import type { Reading } from '../../src/core/model/reading.ts';
import type { ReadingStore } from '../../src/outbox/store/reading-store.ts';
import { BOOT, gapRecord, OFFSET_MS, SampledReadings, times } from '../doubles/sampled-readings.ts';
import { repetitions } from '../repetitions.ts';

export interface StoreUnderTest {
  readonly store: ReadingStore;
  readonly losses: LossReport;
  /**
   * Padding of a reading, so that `holds` readings certainly fit and `overflows` readings certainly do not.
   */
  readonly paddingBytes: number;
  readonly holds: number;
  readonly overflows: number;
  readonly bytesMax: number;
  /** The value of `lostWhy` when it drops readings. */
  readonly why: string;
}

/** Returns an empty store of boot `BOOT`. */
export type MakeStore = () => Promise<StoreUnderTest>;

const RUNS = { seed: 20_261_122, numRuns: repetitions(200, 25) };

export function readingStoreContract(name: string, make: MakeStore): void {
  describe(`${name} keeps the contract of ReadingStore`, () => {
    describe('readings', () => orderContract(make));
    describe('epochs', () => epochContract(make));
    describe('bounds', () => boundContract(make));
    describe('timestamps', () => dateContract(make));
    it('behaves like a plain array over random histories', () => modelContract(make));
  });
}

function orderContract(make: MakeStore): void {
  it('readings come out unchanged and in order', async () => {
    const { store } = await make();
    const readings = [...new SampledReadings().batch(3), gapRecord(2, 4)];
    await store.append(readings);
    assert.deepEqual(await store.take(10), readings);
    assert.deepEqual([await store.take(10), store.size], [[], 4]);
  });

  it('take returns at most the requested number and no reading twice', async () => {
    const { store } = await make();
    await store.append(new SampledReadings().batch(5));
    assert.deepEqual(times(await store.take(2)), [1, 2]);
    assert.deepEqual(times(await store.take(0)), []);
    assert.deepEqual(times(await store.take(9)), [3, 4, 5]);
  });

  it('acknowledge removes exactly the acknowledged readings', async () => {
    const { store } = await make();
    await store.append(new SampledReadings().batch(5));
    await store.take(4);
    await store.acknowledge(3, store.epoch);
    assert.equal(store.size, 2);
    store.rewind();
    assert.deepEqual(times(await store.take(9)), [4, 5]);
    await store.acknowledge(2, store.epoch);
    assert.deepEqual([store.size, store.bytes, await store.take(9)], [0, 0, []]);
  });

  it('acknowledge ignores readings that were not taken', async () => {
    const { store } = await make();
    await store.append(new SampledReadings().batch(5));
    await store.take(2);
    await store.acknowledge(4, store.epoch);
    assert.equal(store.size, 3);
    assert.deepEqual(times(await store.take(9)), [3, 4, 5]);
  });

  it('readings appended during other operations come last', async () => {
    const { store } = await make();
    const host = new SampledReadings();
    const all = await Promise.all([
      store.append(host.batch(2)),
      store.take(9),
      store.append(host.batch(2)),
      store.take(9),
    ]);
    assert.deepEqual([...times(all[1]), ...times(all[3]), ...times(await store.take(9))], [1, 2, 3, 4]);
  });
}

function epochContract(make: MakeStore): void {
  it('a rewind returns taken readings again in a new epoch', async () => {
    const { store } = await make();
    await store.append(new SampledReadings().batch(3));
    const first = await store.take(2);
    const { epoch } = store;
    store.rewind();
    assert.notEqual(store.epoch, epoch);
    assert.deepEqual((await store.take(9)).slice(0, 2), first);
  });

  it('readings of an earlier epoch cannot be acknowledged', async () => {
    const { store } = await make();
    await store.append(new SampledReadings().batch(3));
    await store.take(3);
    const { epoch } = store;
    store.rewind();
    await store.acknowledge(3, epoch);
    await store.take(3);
    await store.acknowledge(3, epoch);
    assert.equal(store.size, 3);
  });

  it('a rewind without taken readings keeps the epoch', async () => {
    const { store } = await make();
    await store.append(new SampledReadings().batch(3));
    const { epoch } = store;
    store.rewind();
    assert.equal(store.epoch, epoch);
  });

  it('repeated rewinds return the same readings once each', async () => {
    const { store } = await make();
    await store.append(new SampledReadings().batch(3));
    for (let time = 0; time < 3; time += 1) {
      assert.deepEqual(times(await store.take(2)), [1, 2]);
      store.rewind();
    }
    assert.equal(store.size, 3);
  });
}

function boundContract(make: MakeStore): void {
  it('a store drops nothing below its bound', async () => {
    const { store, losses, holds, paddingBytes } = await make();
    await store.append(new SampledReadings(paddingBytes).batch(holds));
    assert.deepEqual([losses.total, store.size], [0, holds]);
  });

  it('a full store drops the oldest readings and reports count, range and cause', async () => {
    const { store, losses, overflows, paddingBytes, why, bytesMax } = await make();
    await store.append(new SampledReadings(paddingBytes).batch(overflows));
    const lost = overflows - store.size;
    assert.ok(lost > 0 && store.bytes <= bytesMax);
    assert.deepEqual(losses.takeGapRecord(() => ({ bootId: BOOT, bootMs: 1 }))?.values, {
      lostReadings: lost,
      lostFromMs: OFFSET_MS + 1,
      lostToMs: OFFSET_MS + lost,
      lostWhy: why,
    });
    assert.equal(times(await store.take(1))[0], lost + 1);
  });

  it('acknowledged readings are not reported as lost', async () => {
    const { store, losses, holds, overflows, paddingBytes } = await make();
    const host = new SampledReadings(paddingBytes);
    await store.append(host.batch(holds));
    await store.take(2);
    await store.acknowledge(2, store.epoch);
    await store.append(host.batch(overflows));
    assert.equal(losses.total, holds - 2 + overflows - store.size);
    assert.equal(
      losses.takeGapRecord(() => ({ bootId: BOOT, bootMs: 1 }))?.values['lostFromMs'],
      OFFSET_MS + 3,
    );
  });

  it('dropping taken readings starts a new epoch, so no other is acknowledged', async () => {
    const { store, overflows, paddingBytes } = await make();
    const host = new SampledReadings(paddingBytes);
    await store.append(host.batch(2));
    await store.take(2);
    const { epoch } = store;
    await store.append(host.batch(overflows));
    assert.notEqual(store.epoch, epoch);
    const { size } = store;
    await store.acknowledge(2, epoch);
    assert.equal(store.size, size);
  });

  it('a snapshot follows a gap, and the history after it is exact', async () => {
    const { store, overflows, paddingBytes } = await make();
    const host = new SampledReadings(paddingBytes);
    await store.append(host.batch(overflows));
    const left = await store.take(overflows);
    assert.equal(left[0]?.isSnapshot, true);
    host.assertHistory(left);
  });

  it('a dropped gap record is reported again and not counted as a reading', async () => {
    const { store, losses, overflows, paddingBytes } = await make();
    await store.append([gapRecord(1_000, 0), ...new SampledReadings(paddingBytes).batch(overflows)]);
    const lost = overflows - store.size;
    assert.equal(losses.total, lost);
    assert.equal(
      losses.takeGapRecord(() => ({ bootId: BOOT, bootMs: 1 }))?.values['lostReadings'],
      1_000 + lost,
    );
  });
}

function dateContract(make: MakeStore): void {
  it('undated readings hold back later ones until the boot offset is set', async () => {
    const { store } = await make();
    const host = new SampledReadings();
    await store.append([...host.batch(2), ...host.batch(2, false), ...host.batch(1)]);
    assert.deepEqual(times(await store.take(9)), [1, 2]);
    assert.deepEqual(await store.take(9), []);
    await store.setBootOffset(OFFSET_MS);
    const dated = await store.take(9);
    assert.deepEqual(times(dated), [3, 4, 5]);
    assert.deepEqual(
      dated.map(({ tsMs }) => tsMs),
      [3, 4, 5].map((bootMs) => bootMs + OFFSET_MS),
    );
  });

  it('only the first boot offset counts, also for later readings', async () => {
    const { store } = await make();
    const host = new SampledReadings();
    await store.append(host.batch(1, false));
    await Promise.all([store.setBootOffset(OFFSET_MS), store.setBootOffset(5)]);
    await store.append(host.batch(1, false));
    const readings = await store.take(9);
    assert.deepEqual(
      readings.map(({ tsMs }) => tsMs),
      [OFFSET_MS + 1, OFFSET_MS + 2],
    );
  });
}

type Operation = readonly ['append' | 'take' | 'acknowledge' | 'rewind', number];

const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.tuple(
    fc.constantFrom('append', 'append', 'take', 'take', 'acknowledge', 'rewind'),
    fc.integer({ min: 0, max: 8 }),
  ),
  { maxLength: 40, size: 'max' },
);

async function modelContract(make: MakeStore): Promise<void> {
  const check = async (history: Operation[]) => {
    const model = new Model(await make());
    for (const operation of history) await model.do(operation);
    await model.drain();
  };
  await fc.assert(fc.asyncProperty(operations, check), RUNS);
}

class Model {
  readonly #fixture: StoreUnderTest;
  readonly #host: SampledReadings;
  readonly #delivered: Reading[] = [];
  #waiting: number[] = [];
  #taken: Reading[] = [];

  constructor(fixture: StoreUnderTest) {
    this.#fixture = fixture;
    this.#host = new SampledReadings(fixture.paddingBytes);
  }

  async do([operation, count]: Operation): Promise<void> {
    const { store } = this.#fixture;
    if (operation === 'append') await this.#append(count);
    if (operation === 'take') await this.#take(count);
    if (operation === 'rewind') {
      store.rewind();
      this.#taken = [];
    }
    if (operation === 'acknowledge') {
      await store.acknowledge(count, store.epoch);
      const done = this.#taken.splice(0, count);
      this.#delivered.push(...done);
      this.#waiting.splice(0, done.length);
    }
    assert.equal(store.size, this.#waiting.length);
    assert.ok(store.bytes <= this.#fixture.bytesMax);
  }

  async drain(): Promise<void> {
    await this.do(['take', 1_000]);
    await this.do(['acknowledge', 1_000]);
    assert.deepEqual([this.#waiting, this.#fixture.store.bytes], [[], 0]);
    this.#host.assertHistory(this.#delivered);
  }

  async #append(count: number): Promise<void> {
    const { store, losses } = this.#fixture;
    const [{ epoch }, reported] = [store, losses.total];
    const batch = this.#host.batch(count);
    await store.append(batch);
    this.#waiting.push(...times(batch));
    const dropped = this.#waiting.length - store.size;
    assert.equal(losses.total - reported, dropped);
    this.#waiting.splice(0, dropped);
    const isRewound = dropped > 0 && this.#taken.length > 0;
    assert.equal(store.epoch !== epoch, isRewound);
    if (isRewound) this.#taken = [];
  }

  async #take(count: number): Promise<void> {
    const readings = await this.#fixture.store.take(count);
    const { length } = this.#taken;
    assert.deepEqual(times(readings), this.#waiting.slice(length, length + count));
    this.#taken.push(...readings);
  }
}
