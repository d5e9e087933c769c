/**
 * A power cut at any step of any history of the spool: every stored, unacknowledged reading is there
 * afterwards, in order.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { LossReport } from '../../../src/core/model/loss-report.ts';
import type { Reading } from '../../../src/core/model/reading.ts';
import { Spool } from '../../../src/outbox/spool/spool.ts';
import { OutboxError } from '../../../src/outbox/store/reading-store.ts';
import { PowerCutDirectory } from '../../doubles/power-cut/power-cut-directory.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { BOOT, SampledReadings, times } from '../../doubles/sampled-readings.ts';
import { repetitions } from '../../repetitions.ts';

const PADDING_BYTES = 6_000;

type Operation =
  | { readonly do: 'append' | 'take' | 'acknowledge' | 'cut in'; readonly count: number }
  | { readonly do: 'rewind' | 'write fails' | 'sync fails' | 'disk full' | 'process dies' };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('append', 'append', 'take', 'acknowledge'),
      count: fc.integer({ min: 1, max: 15 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('cut in' as const), count: fc.integer({ min: 0, max: 9 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('rewind', 'write fails', 'sync fails', 'disk full', 'process dies'),
    }),
  },
);

/** Numbers in [0, 1), different also for neighbouring seeds (splitmix32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

it('the spool loses no stored reading over random histories with power cuts', async () => {
  const check = async (operations: Operation[], seed: number) => {
    const run = await SpoolRun.begin(seededRandom(seed));
    for (const each of operations) await run.do(each);
    await run.end();
  };
  const history = fc.array(operation, { maxLength: 30, size: 'max' });
  await fc.assert(fc.asyncProperty(history, fc.integer(), check), {
    seed: 20_261_122,
    numRuns: repetitions(250, 60),
  });
});

it('the spool loses no stored reading at a power cut at any step of a history', async () => {
  const operations: Operation[] = [
    { do: 'append', count: 4 },
    { do: 'append', count: 15 },
    { do: 'take', count: 12 },
    { do: 'acknowledge', count: 11 },
    { do: 'append', count: 15 },
    { do: 'take', count: 99 },
    { do: 'acknowledge', count: 99 },
    { do: 'append', count: 2 },
  ];
  for (let step = 0; step < 30; step += 1) {
    for (let seed = 0; seed < repetitions(5, 1); seed += 1) {
      const run = await SpoolRun.begin(seededRandom(step * 1_000 + seed));
      await run.do({ do: 'cut in', count: step });
      for (const each of operations) await run.do(each);
      await run.end();
    }
  }
});

function openSpool(directory: PowerCutDirectory): Promise<Spool> {
  const [losses, log] = [new LossReport(), new RecordingLogger()];
  const bounds = { bytesMax: 100_000_000, freeShare: 0.1 };
  return Spool.open({ directory, bootId: BOOT, ...bounds, losses, log });
}

/** A spool over many processes, and the readings it must hold. */
class SpoolRun {
  readonly #random: () => number;
  readonly #directory: PowerCutDirectory;
  readonly #host = new SampledReadings(PADDING_BYTES);
  #spool: Spool;
  /** Expected readings in the spool, in order, including taken ones. */
  #expected: number[] = [];
  #taken: number[] = [];
  /** Readings of a failed append, which the caller repeats; they may be on the disk nevertheless. */
  #failed: Reading[] = [];
  /** Readings that may be stored more than once, because a failed append was repeated. */
  readonly #repeated = new Set<number>();
  /** Readings whose append resolved. */
  readonly #stored = new Set<number>();
  readonly #acknowledged = new Set<number>();

  static async begin(random: () => number): Promise<SpoolRun> {
    const directory = new PowerCutDirectory();
    return new SpoolRun(random, directory, await openSpool(directory));
  }

  private constructor(random: () => number, directory: PowerCutDirectory, spool: Spool) {
    this.#random = random;
    this.#directory = directory;
    this.#spool = spool;
  }

  async do(operation: Operation): Promise<void> {
    const directory = this.#directory;
    if (operation.do === 'append') await this.#append(operation.count);
    if (operation.do === 'take') await this.#take(operation.count);
    if (operation.do === 'acknowledge') await this.#acknowledge(operation.count);
    if (operation.do === 'cut in') directory.stepsUntilCut = operation.count;
    if (operation.do === 'rewind') this.#rewind();
    if (operation.do === 'write fails') directory.broken.write = true;
    if (operation.do === 'sync fails') directory.broken.sync = true;
    if (operation.do === 'disk full') directory.capacityBytes = 100_000;
    if (directory.isOff) await this.#powerFails();
    if (operation.do === 'process dies') await this.#begin();
    assert.equal(this.#spool.size, this.#expected.length);
  }

  /** Repairs the disk and delivers all readings. */
  async end(): Promise<void> {
    await this.#powerFails();
    await this.#append(1);
    await this.#take(10_000);
    await this.#acknowledge(10_000);
    assert.deepEqual([this.#spool.size, this.#spool.bytes, this.#directory.names], [0, 0, []]);
    for (const time of this.#stored) assert.ok(this.#acknowledged.has(time), `${time} was not delivered`);
  }

  async #append(count: number): Promise<void> {
    const batch = [...this.#failed, ...this.#host.batch(count)];
    try {
      await this.#spool.append(batch);
      this.#expected.push(...times(batch));
      for (const time of times(batch)) this.#stored.add(time);
      this.#failed = [];
    } catch (error) {
      assert.ok(error instanceof OutboxError);
      this.#failed = batch;
      for (const time of times(batch)) this.#repeated.add(time);
      this.#heal();
    }
  }

  async #take(count: number): Promise<void> {
    const readings = await this.#spool.take(count);
    if (this.#directory.isOff) return;
    const { length } = this.#taken;
    assert.deepEqual(times(readings), this.#expected.slice(length, length + count));
    this.#taken.push(...times(readings));
  }

  async #acknowledge(count: number): Promise<void> {
    const acknowledged = this.#taken.splice(0, count);
    this.#expected.splice(0, acknowledged.length);
    for (const time of acknowledged) this.#acknowledged.add(time);
    await this.#spool.acknowledge(count, this.#spool.epoch);
  }

  #rewind(): void {
    this.#spool.rewind();
    this.#taken = [];
  }

  #heal(): void {
    Object.assign(this.#directory.broken, { write: false, sync: false });
    this.#directory.capacityBytes = Number.POSITIVE_INFINITY;
  }

  async #powerFails(): Promise<void> {
    this.#directory.cutPower(this.#random);
    await this.#begin();
  }

  /** Starts a new process, and checks the readings that it finds. */
  async #begin(): Promise<void> {
    this.#heal();
    this.#failed = [];
    this.#taken = [];
    this.#spool = await openSpool(this.#directory);
    const found = await this.#spool.take(10_000);
    this.#spool.rewind();
    assert.deepEqual(
      times(found).filter((time) => !this.#repeated.has(time) && !this.#acknowledged.has(time)),
      this.#expected.filter((time) => !this.#repeated.has(time) && !this.#acknowledged.has(time)),
      'in order, each once',
    );
    for (const time of this.#expected) assert.ok(times(found).includes(time), `${time} was lost`);
    for (const time of times(found)) {
      assert.ok(this.#stored.has(time) || this.#repeated.has(time), `${time} was never appended`);
    }
    const byTime = new Map(found.map((reading) => [reading.bootMs, reading]));
    const certain = [...byTime.values()].filter(({ bootMs }) => !this.#repeated.has(bootMs));
    this.#host.assertHistory(certain.sort((a, b) => a.bootMs - b.bootMs));
    this.#expected = times(found);
  }
}
