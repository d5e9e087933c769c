/** The outbox: memory while the server accepts readings, otherwise the disk, or memory if the disk fails. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { LossReport } from '../../src/core/model/loss-report.ts';
import type { Reading, Values } from '../../src/core/model/reading.ts';
import type { Lane } from '../../src/core/ports/outbox.ts';
import { MemoryStore } from '../../src/outbox/memory/memory-store.ts';
import { TieredOutbox } from '../../src/outbox/outbox.ts';
import { OutboxError } from '../../src/outbox/store/reading-store.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';

/** A store in place of the disk that can fail or hang, and counts its appends. */
class Disk extends MemoryStore {
  failsWith: string | undefined;
  hangs = false;
  appends = 0;
  /** Called at each append, for example to drop readings like a full spool. */
  onAppend: () => void = () => {};

  override async append(readings: readonly Reading[]): Promise<void> {
    this.appends += 1;
    this.onAppend();
    if (this.hangs) await new Promise(() => {});
    if (this.failsWith !== undefined) throw new OutboxError('planted', this.failsWith);
    await super.append(readings);
  }
}

class Harness {
  readonly clock = new VirtualClock();
  readonly log = new RecordingLogger();
  readonly losses = new LossReport();
  readonly stop = new AbortController();
  readonly disk: Disk;
  readonly outbox: TieredOutbox;
  #count = 0;

  constructor(settings: { memoryBytesMax?: number; flushEveryMs?: number } = {}) {
    const { clock, log, losses } = this;
    const bounds = { bytesMax: 1_000_000, readingsMax: 100_000 };
    this.disk = new Disk({ ...bounds, bootId: clock.bootId, losses });
    const now = () => ({ bootId: clock.bootId, bootMs: clock.bootMs(), tsMs: clock.wallMs() });
    const ports = { clock, log, losses, now, spool: this.disk };
    this.outbox = new TieredOutbox(ports, { spoolAfterMs: 60_000, flushEveryMs: 60_000, ...settings });
  }

  /** Samples every ten seconds for `ms`, without deliveries. */
  async sampleFor(ms: number, full = true): Promise<void> {
    const untilMs = this.clock.monotonicMs() + ms;
    while (this.clock.monotonicMs() < untilMs) {
      this.sample({ n: this.#count }, full);
      await this.clock.advance(10_000);
    }
  }

  sample(values: Values, full = true): void {
    this.#count += 1;
    const { clock } = this;
    const now = { bootId: clock.bootId, bootMs: clock.bootMs(), tsMs: clock.wallMs() };
    this.outbox.append({ ...now, values, isSnapshot: full });
  }

  run(): void {
    void this.outbox.run(this.stop.signal);
  }

  /** Takes and acknowledges all readings of a lane. */
  async deliver(lane: Lane): Promise<Values[]> {
    const delivered: Values[] = [];
    for (;;) {
      const readings = await lane.take(50);
      if (readings.length === 0) return delivered;
      delivered.push(...readings.map(({ values }) => values));
      await lane.acknowledge(readings.length, lane.epoch);
    }
  }
}

const numbers = (values: readonly Values[]) => values.map(({ n }) => n);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('while the server accepts readings', () => {
  it('the outbox writes nothing to the disk while the server accepts readings', async () => {
    const harness = new Harness();
    harness.run();
    for (let tick = 0; tick < 1_000; tick += 1) {
      harness.sample({ n: tick });
      await harness.clock.advance(5_000);
      await harness.deliver(harness.outbox.fresh);
      await harness.clock.advance(5_000);
    }
    assert.equal(harness.disk.appends, 0);
    assert.equal(harness.outbox.size, 0);
  });
});

describe('while the server accepts no readings', () => {
  it('the outbox writes to the disk after spoolAfter, then every flushEvery', async () => {
    const harness = new Harness({ flushEveryMs: 300_000 });
    harness.run();
    await harness.sampleFor(50_000);
    assert.equal(harness.disk.appends, 0);
    await harness.sampleFor(20_000);
    assert.equal(harness.disk.appends, 1);
    await harness.sampleFor(600_000);
    assert.equal(harness.disk.appends, 3);
    assert.equal(harness.log.withMessage(/are being stored on disk/).length, 1);
  });

  it('the oldest reading in memory is never older than one flush interval', async () => {
    const harness = new Harness();
    harness.run();
    for (let tick = 0; tick < 200; tick += 1) {
      await harness.sampleFor(10_000);
      const oldestMs = harness.outbox.fresh.oldestBootMs();
      const ageMs = harness.clock.bootMs() - (oldestMs ?? harness.clock.bootMs());
      assert.ok(ageMs <= 60_000, `${ageMs}`);
    }
  });

  it('all readings are delivered in order, the older ones from the backlog', async () => {
    const harness = new Harness();
    harness.run();
    await harness.sampleFor(290_000);
    const backlog = numbers(await harness.deliver(harness.outbox.backlog));
    const fresh = numbers(await harness.deliver(harness.outbox.fresh));
    assert.ok(backlog.length > 20 && fresh.length > 0);
    assert.deepEqual([...backlog, ...fresh], upTo(29));
    const drained = harness.log.withMessage('the backlog has been delivered');
    assert.deepEqual(
      drained.map(({ fields }) => fields?.['readings']),
      [backlog.length],
    );
  });

  it('each flush begins with a full reading', async () => {
    const harness = new Harness();
    harness.sample({ n: 0, mode: 'x' });
    await harness.deliver(harness.outbox.fresh);
    harness.sample({ n: 1 }, false);
    harness.sample({ n: 2 }, false);
    await harness.outbox.flush();
    const written = await harness.deliver(harness.outbox.backlog);
    assert.deepEqual(written, [{ n: 1, mode: 'x' }, { n: 2 }]);
  });
});

describe('when the disk fails', () => {
  it('a failing disk loses nothing, is logged once, and is retried at every flush', async () => {
    const harness = new Harness();
    harness.run();
    harness.disk.failsWith = 'ENOSPC';
    await harness.sampleFor(600_000);
    assert.ok(harness.disk.appends >= 9, `${harness.disk.appends}`);
    const [line, ...more] = harness.log.withMessage(/queued readings cannot be written to disk/);
    assert.deepEqual([line?.level, line?.fields['code'], more.length], ['error', 'ENOSPC', 0]);
    const delivered = [
      ...numbers(await harness.deliver(harness.outbox.backlog)),
      ...numbers(await harness.deliver(harness.outbox.fresh)),
    ];
    assert.deepEqual(delivered, upTo(60));
  });

  it('a disk that works again gets all readings in order, and is logged', async () => {
    const harness = new Harness();
    harness.run();
    harness.disk.failsWith = 'EROFS';
    await harness.sampleFor(300_000);
    assert.equal(harness.disk.size, 0);
    harness.disk.failsWith = undefined;
    await harness.sampleFor(70_000);
    assert.ok(harness.disk.size > 30);
    assert.equal(harness.log.withMessage('queued readings can be written to disk again').length, 1);
    const delivered = [
      ...numbers(await harness.deliver(harness.outbox.backlog)),
      ...numbers(await harness.deliver(harness.outbox.fresh)),
    ];
    assert.deepEqual(delivered, upTo(37));
  });

  it('a full memory drops the oldest readings and reports their number', async () => {
    const harness = new Harness({ memoryBytesMax: 5_000 });
    harness.run();
    harness.disk.failsWith = 'EIO';
    await harness.sampleFor(3_600_000);
    const delivered = [
      ...(await harness.deliver(harness.outbox.backlog)),
      ...(await harness.deliver(harness.outbox.fresh)),
    ];
    const reportedLost = delivered.reduce((sum, values) => sum + Number(values['lostReadings'] ?? 0), 0);
    const arrived = delivered.filter((values) => 'n' in values).length;
    assert.equal(reportedLost + harness.losses.unreported + arrived, 360);
    assert.ok(arrived > 10 && arrived < 200, `${arrived}`);
  });

  it('an outbox without a disk keeps its readings in memory', async () => {
    const { clock, log, losses } = new Harness();
    const now = () => ({ bootId: clock.bootId, bootMs: clock.bootMs(), tsMs: clock.wallMs() });
    const outbox = new TieredOutbox(
      { clock, log, losses, now },
      { spoolAfterMs: 60_000, flushEveryMs: 60_000 },
    );
    for (let n = 0; n < 100; n += 1) outbox.append({ ...now(), values: { n }, isSnapshot: true });
    await outbox.close();
    assert.equal(outbox.backlog.size, 100);
  });
});

describe('regressions', () => {
  it('a disk that hangs does not delay a stop', async () => {
    const harness = new Harness();
    const running = harness.outbox.run(harness.stop.signal);
    harness.disk.hangs = true;
    await harness.sampleFor(100_000);
    assert.equal(harness.disk.appends, 1);
    assert.ok(harness.outbox.size >= 10, 'readings in a flush are counted');
    harness.stop.abort();
    await running;
  });

  it('losses during a flush are written to the same disk at once', async () => {
    const harness = new Harness();
    harness.disk.onAppend = () => {
      if (harness.disk.appends === 1) harness.losses.add({ readings: 7, reason: 'spool full' });
    };
    harness.sample({ n: 0 });
    await harness.outbox.close();
    assert.equal(harness.losses.unreported, 0);
    const [, gap] = await harness.deliver(harness.outbox.backlog);
    assert.equal(gap?.['lostReadings'], 7);
  });

  it('gap records of failed flushes push no readings out of a full memory', async () => {
    const harness = new Harness({ memoryBytesMax: 5_000 });
    harness.disk.failsWith = 'ENOSPC';
    harness.run();
    await harness.sampleFor(1_800_000);
    const before = harness.losses.total;
    for (let tries = 0; tries < 50; tries += 1) await harness.outbox.flush();
    assert.ok(harness.losses.total - before <= 1, `${harness.losses.total - before} lost by retries`);
  });

  it('the overflow goes to a working disk even if there are no fresh readings', async () => {
    const harness = new Harness();
    harness.run();
    harness.disk.failsWith = 'EIO';
    await harness.sampleFor(100_000);
    harness.disk.failsWith = undefined;
    await harness.deliver(harness.outbox.fresh);
    await harness.clock.advance(120_000);
    assert.ok(harness.disk.size >= 6, `${harness.disk.size}`);
  });

  it('a disk that fails during a flush keeps its part; the rest begins full', async () => {
    const harness = new Harness();
    harness.sample({ n: 0, mode: 'x' });
    for (let n = 1; n < 600; n += 1) harness.sample({ n }, false);
    harness.disk.onAppend = () => {
      if (harness.disk.appends === 3) harness.disk.failsWith = 'ENOSPC';
    };
    await harness.outbox.flush();
    assert.equal(harness.disk.size, 512);
    const all = await harness.deliver(harness.outbox.backlog);
    assert.deepEqual(numbers(all), upTo(600));
    assert.equal(all[512]?.['mode'], 'x');
  });

  it('a flush that writes nothing keeps the readings that are in flight', async () => {
    const harness = new Harness();
    const { outbox } = harness;
    harness.disk.failsWith = 'EROFS';
    harness.run();
    await harness.sampleFor(130_000);
    const { epoch } = outbox.backlog;
    const taken = await outbox.backlog.take(3);
    assert.deepEqual(numbers(taken.map(({ values }) => values)), [0, 1, 2]);
    const { size } = outbox;
    await harness.sampleFor(120_000);
    await outbox.backlog.acknowledge(3, epoch);
    assert.equal(outbox.size, size + 12 - 3);
    harness.disk.failsWith = undefined;
    await harness.clock.advance(60_000);
    assert.deepEqual(numbers(await harness.deliver(harness.disk)), upTo(25).slice(3));
  });

  it('a reading is not taken from memory while a flush writes it', async () => {
    const harness = new Harness();
    const { outbox, disk } = harness;
    disk.failsWith = 'EIO';
    harness.sample({ n: 0 });
    await outbox.flush();
    disk.failsWith = undefined;
    let resume = () => {};
    const isReady = new Promise<void>((resolve) => {
      resume = resolve;
    });
    const append = disk.append.bind(disk);
    disk.append = (readings) => isReady.then(() => append(readings));
    const flush = outbox.flush();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([await outbox.backlog.take(5), outbox.size], [[], 1]);
    resume();
    await flush;
    assert.deepEqual([(await outbox.backlog.take(5)).length, outbox.size], [1, 1]);
  });

  it('an empty flush starts no new epoch', async () => {
    const harness = new Harness();
    await harness.outbox.flush();
    const { epoch } = harness.outbox.backlog;
    harness.sample({ n: 1 });
    await harness.outbox.flush();
    assert.equal(harness.outbox.backlog.epoch, epoch);
  });
});

describe('closing the outbox', () => {
  it('close writes all readings and losses to the disk, also undated ones in flight', async () => {
    const harness = new Harness();
    harness.losses.add({ readings: 3, reason: 'memory full' });
    const { clock, outbox } = harness;
    outbox.append({ bootId: clock.bootId, bootMs: clock.bootMs(), values: { n: 1 }, isSnapshot: true });
    assert.ok(outbox.takeUndated());
    await outbox.close();
    assert.equal(harness.disk.size, 2);
    assert.equal(outbox.fresh.size, 0);
  });

  it('close writes nothing if all readings are delivered', async () => {
    const harness = new Harness();
    harness.sample({ n: 1 });
    await harness.deliver(harness.outbox.fresh);
    await harness.outbox.close();
    assert.equal(harness.disk.appends, 0);
  });

  it('run ends with its signal and leaves no listener or timer', async () => {
    const harness = new Harness();
    const running = harness.outbox.run(harness.stop.signal);
    await harness.sampleFor(200_000);
    harness.stop.abort();
    await running;
    assert.equal(getEventListeners(harness.stop.signal, 'abort').length, 0);
    assert.equal(harness.clock.sleeping, 0);
  });
});

describe('changes of the outbox', () => {
  it('a wait for changes resolves at once after a missed change, otherwise at the next one', async () => {
    const harness = new Harness();
    const { signal } = harness.stop;
    const before = harness.outbox.changes.version;
    harness.sample({ n: 1 });
    await harness.outbox.changes.wait(signal, before);
    let isResolved = false;
    const wait = harness.outbox.changes.wait(signal).then(() => {
      isResolved = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isResolved, false);
    harness.sample({ n: 2 });
    await wait;
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});

it('an undated reading in flight does not turn run into a busy loop', async () => {
  const harness = new Harness();
  const { clock, outbox } = harness;
  outbox.append({ bootId: clock.bootId, bootMs: clock.bootMs(), values: { n: 1 }, isSnapshot: true });
  assert.ok(outbox.takeUndated());
  harness.run();
  await clock.advance(120_000);
  assert.equal(harness.disk.appends, 0);
  assert.equal(outbox.size, 1);
});

it('an undated reading that new loops find in flight is not taken again after a newer one', async () => {
  const { clock, outbox } = new Harness();
  const add = (n: number) =>
    outbox.append({ bootId: clock.bootId, bootMs: clock.bootMs(), values: { n }, isSnapshot: true });
  add(1);
  assert.ok(outbox.takeUndated());
  // Its loops were stopped by a change of settings.
  outbox.fresh.rewind();
  await clock.advance(1_000);
  add(2);
  const newer = outbox.takeUndated();
  assert.equal(newer?.values['n'], 2);
  outbox.completeUndated(newer, true);
  assert.equal(outbox.takeUndated(), undefined);
});
