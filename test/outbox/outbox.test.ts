/** The outbox: memory while the server takes the readings, the disk when it does not, memory again when the disk refuses. */

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

/** A store like the disk's that refuses or hangs when it is told to, and counts its appends. */
class Disk extends MemoryStore {
  failsWith: string | undefined;
  hangs = false;
  appends = 0;
  /** Called at each append: what a bound that is met would do. */
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

  /** Samples every ten seconds for `ms`, while nobody delivers. */
  async pass(ms: number, full = true): Promise<void> {
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

  /** Everything a lane has, delivered. */
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

describe('while the server takes the readings', () => {
  it('nothing is ever written to the disk', async () => {
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

describe('while the server does not take them', () => {
  it('they go to the disk after spool-after, and then every flush-every, in one append each', async () => {
    const harness = new Harness({ flushEveryMs: 300_000 });
    harness.run();
    await harness.pass(50_000);
    assert.equal(harness.disk.appends, 0);
    await harness.pass(20_000);
    assert.equal(harness.disk.appends, 1);
    await harness.pass(600_000);
    assert.equal(harness.disk.appends, 3);
    assert.equal(harness.log.withMessage(/are kept on the disk/).length, 1);
  });

  it('a power cut would cost at most one flush interval of them, at any time', async () => {
    const harness = new Harness();
    harness.run();
    for (let tick = 0; tick < 200; tick += 1) {
      await harness.pass(10_000);
      const oldestMs = harness.outbox.fresh.oldestBootMs();
      const ageMs = harness.clock.bootMs() - (oldestMs ?? harness.clock.bootMs());
      assert.ok(ageMs <= 60_000, `${ageMs}`);
    }
  });

  it('all of them come out again, in order, the older ones from the backlog', async () => {
    const harness = new Harness();
    harness.run();
    await harness.pass(290_000);
    const backlog = numbers(await harness.deliver(harness.outbox.backlog));
    const fresh = numbers(await harness.deliver(harness.outbox.fresh));
    assert.ok(backlog.length > 20 && fresh.length > 0);
    assert.deepEqual([...backlog, ...fresh], upTo(29));
    const drained = harness.log.withMessage('everything that waited is delivered');
    assert.deepEqual(
      drained.map(({ fields }) => fields?.['readings']),
      [backlog.length],
    );
  });

  it('what is written in one go begins with a full reading, whatever was delivered before it', async () => {
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

describe('when the disk refuses', () => {
  it('nothing is lost: they wait in memory, it is told once, and the disk is asked at every flush', async () => {
    const harness = new Harness();
    harness.run();
    harness.disk.failsWith = 'ENOSPC';
    await harness.pass(600_000);
    assert.ok(harness.disk.appends >= 9, `${harness.disk.appends}`);
    const [line, ...more] = harness.log.withMessage(/the disk does not take/);
    assert.deepEqual([line?.level, line?.fields['code'], more.length], ['error', 'ENOSPC', 0]);
    const delivered = [
      ...numbers(await harness.deliver(harness.outbox.backlog)),
      ...numbers(await harness.deliver(harness.outbox.fresh)),
    ];
    assert.deepEqual(delivered, upTo(60));
  });

  it('and then takes them again, they all go there, in order, and it is told', async () => {
    const harness = new Harness();
    harness.run();
    harness.disk.failsWith = 'EROFS';
    await harness.pass(300_000);
    assert.equal(harness.disk.size, 0);
    harness.disk.failsWith = undefined;
    await harness.pass(70_000);
    assert.ok(harness.disk.size > 30);
    assert.equal(harness.log.withMessage('the disk takes readings again').length, 1);
    const delivered = [
      ...numbers(await harness.deliver(harness.outbox.backlog)),
      ...numbers(await harness.deliver(harness.outbox.fresh)),
    ];
    assert.deepEqual(delivered, upTo(37));
  });

  it('beyond the bound of the memory the oldest go, and how many is told with the next that arrives', async () => {
    const harness = new Harness({ memoryBytesMax: 5_000 });
    harness.run();
    harness.disk.failsWith = 'EIO';
    await harness.pass(3_600_000);
    const delivered = [
      ...(await harness.deliver(harness.outbox.backlog)),
      ...(await harness.deliver(harness.outbox.fresh)),
    ];
    const reportedLost = delivered.reduce((sum, values) => sum + Number(values['lostReadings'] ?? 0), 0);
    const arrived = delivered.filter((values) => 'n' in values).length;
    assert.equal(reportedLost + harness.losses.unreported + arrived, 360);
    assert.ok(arrived > 10 && arrived < 200, `${arrived}`);
  });

  it('a disk that is taken away for good is no reason to lose what is fresh: memory alone will do', async () => {
    const { clock, log, losses } = new Harness();
    const stamp = () => ({ bootId: clock.bootId, bootMs: clock.bootMs(), tsMs: clock.wallMs() });
    const outbox = new TieredOutbox(
      { clock, log, losses, now: stamp },
      { spoolAfterMs: 60_000, flushEveryMs: 60_000 },
    );
    for (let n = 0; n < 100; n += 1) outbox.append({ ...stamp(), values: { n }, isSnapshot: true });
    await outbox.close();
    assert.equal(outbox.backlog.size, 100);
  });
});

describe('what was found broken once', () => {
  it('a disk that hangs does not hold up who is told to stop', async () => {
    const harness = new Harness();
    const running = harness.outbox.run(harness.stop.signal);
    harness.disk.hangs = true;
    await harness.pass(100_000);
    assert.equal(harness.disk.appends, 1);
    assert.ok(harness.outbox.size >= 10, 'what is on its way is counted');
    harness.stop.abort();
    await running;
  });

  it('losses that a flush makes are told on the same disk, at once', async () => {
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

  it('tries of a disk that refuses cost a full memory no reading by their gap records', async () => {
    const harness = new Harness({ memoryBytesMax: 5_000 });
    harness.disk.failsWith = 'ENOSPC';
    harness.run();
    await harness.pass(1_800_000);
    const before = harness.losses.total;
    for (let tries = 0; tries < 50; tries += 1) await harness.outbox.flush();
    assert.ok(harness.losses.total - before <= 1, `${harness.losses.total - before} lost by trying`);
  });

  it('what waits in memory goes to a disk that has healed, though nothing fresh waits any more', async () => {
    const harness = new Harness();
    harness.run();
    harness.disk.failsWith = 'EIO';
    await harness.pass(100_000);
    harness.disk.failsWith = undefined;
    await harness.deliver(harness.outbox.fresh);
    await harness.clock.advance(120_000);
    assert.ok(harness.disk.size >= 6, `${harness.disk.size}`);
  });

  it('a disk that takes a part of a long row keeps that part, and what is left begins with a full reading', async () => {
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

  it('a flush of nothing costs delivery nothing it knows of its batches', async () => {
    const harness = new Harness();
    await harness.outbox.flush();
    const { epoch } = harness.outbox.backlog;
    harness.sample({ n: 1 });
    await harness.outbox.flush();
    assert.equal(harness.outbox.backlog.epoch, epoch);
  });
});

describe('closing', () => {
  it('brings what waits to the disk, what is under way without a date included, and untold losses with it', async () => {
    const harness = new Harness();
    harness.losses.add({ readings: 3, reason: 'memory full' });
    const { clock, outbox } = harness;
    outbox.append({ bootId: clock.bootId, bootMs: clock.bootMs(), values: { n: 1 }, isSnapshot: true });
    assert.ok(outbox.takeUndated());
    await outbox.close();
    assert.equal(harness.disk.size, 2);
    assert.equal(outbox.fresh.size, 0);
  });

  it('with nothing undelivered writes nothing', async () => {
    const harness = new Harness();
    harness.sample({ n: 1 });
    await harness.deliver(harness.outbox.fresh);
    await harness.outbox.close();
    assert.equal(harness.disk.appends, 0);
  });

  it('ends the keeper with its signal, and leaves no listener', async () => {
    const harness = new Harness();
    const running = harness.outbox.run(harness.stop.signal);
    await harness.pass(200_000);
    harness.stop.abort();
    await running;
    assert.equal(getEventListeners(harness.stop.signal, 'abort').length, 0);
    assert.equal(harness.clock.sleeping, 0);
  });
});

describe('changes of the outbox', () => {
  it('are not missed by whoever saw the state before them, and are waited for by who did not', async () => {
    const harness = new Harness();
    const { signal } = harness.stop;
    const before = harness.outbox.version;
    harness.sample({ n: 1 });
    await harness.outbox.waitForChange(before, signal);
    let over = false;
    const wait = harness.outbox.waitForChange(harness.outbox.version, signal).then(() => {
      over = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(over, false);
    harness.sample({ n: 2 });
    await wait;
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});

it('an undated reading that has to stay because it is under way does not turn the keeper into a busy loop', async () => {
  const harness = new Harness();
  const { clock, outbox } = harness;
  outbox.append({ bootId: clock.bootId, bootMs: clock.bootMs(), values: { n: 1 }, isSnapshot: true });
  assert.ok(outbox.takeUndated());
  harness.run();
  await clock.advance(120_000);
  assert.equal(harness.disk.appends, 0);
  assert.equal(outbox.size, 1);
});
