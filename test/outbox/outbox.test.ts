/** The outbox: memory while the server takes the readings, the disk when it does not, memory again when the disk refuses. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { Losses } from '../../src/core/model/loss-report.ts';
import type { Reading, Values } from '../../src/core/model/reading.ts';
import type { Lane } from '../../src/core/ports/outbox.ts';
import { RamStore } from '../../src/outbox/memory/memory-store.ts';
import { JoinedOutbox } from '../../src/outbox/outbox.ts';
import { OutboxError } from '../../src/outbox/store/reading-store.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';

/** A store like the disk's that refuses or hangs when it is told to, and counts its appends. */
class Disk extends RamStore {
  refuses: string | undefined;
  hangs = false;
  appends = 0;
  /** Called at each append: what a bound that is met would do. */
  onAppend: () => void = () => {};

  override async append(readings: readonly Reading[]): Promise<void> {
    this.appends += 1;
    this.onAppend();
    if (this.hangs) await new Promise(() => {});
    if (this.refuses !== undefined) throw new OutboxError('planted', this.refuses);
    await super.append(readings);
  }
}

class Stage {
  readonly clock = new VirtualClock();
  readonly log = new RecordingLogger();
  readonly losses = new Losses();
  readonly stop = new AbortController();
  readonly disk: Disk;
  readonly outbox: JoinedOutbox;
  #count = 0;

  constructor(settings: { memoryBytesMax?: number; flushEveryMs?: number } = {}) {
    const { clock, log, losses } = this;
    const bounds = { bytesMax: 1_000_000, readingsMax: 100_000 };
    this.disk = new Disk({ ...bounds, bootId: clock.bootId, losses });
    const stamp = () => ({ bootId: clock.bootId, bootMs: clock.bootMs(), tsMs: clock.wallMs() });
    const ports = { clock, log, losses, stamp, spool: this.disk };
    this.outbox = new JoinedOutbox(ports, { spoolAfterMs: 60_000, flushEveryMs: 60_000, ...settings });
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
    const stamp = { bootId: clock.bootId, bootMs: clock.bootMs(), tsMs: clock.wallMs() };
    this.outbox.append({ ...stamp, values, full });
  }

  keep(): void {
    void this.outbox.keep(this.stop.signal);
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
    const stage = new Stage();
    stage.keep();
    for (let beat = 0; beat < 1_000; beat += 1) {
      stage.sample({ n: beat });
      await stage.clock.advance(5_000);
      await stage.deliver(stage.outbox.fresh);
      await stage.clock.advance(5_000);
    }
    assert.equal(stage.disk.appends, 0);
    assert.equal(stage.outbox.size, 0);
  });
});

describe('while the server does not take them', () => {
  it('they go to the disk after spool-after, and then every flush-every, in one append each', async () => {
    const stage = new Stage({ flushEveryMs: 300_000 });
    stage.keep();
    await stage.pass(50_000);
    assert.equal(stage.disk.appends, 0);
    await stage.pass(20_000);
    assert.equal(stage.disk.appends, 1);
    await stage.pass(600_000);
    assert.equal(stage.disk.appends, 3);
    assert.equal(stage.log.saying(/are kept on the disk/).length, 1);
  });

  it('a power cut would cost at most one flush interval of them, at any time', async () => {
    const stage = new Stage();
    stage.keep();
    for (let beat = 0; beat < 200; beat += 1) {
      await stage.pass(10_000);
      const oldestMs = stage.outbox.fresh.oldestBootMs();
      const ageMs = stage.clock.bootMs() - (oldestMs ?? stage.clock.bootMs());
      assert.ok(ageMs <= 60_000, `${ageMs}`);
    }
  });

  it('all of them come out again, in order, the older ones from the backlog', async () => {
    const stage = new Stage();
    stage.keep();
    await stage.pass(290_000);
    const backlog = numbers(await stage.deliver(stage.outbox.backlog));
    const fresh = numbers(await stage.deliver(stage.outbox.fresh));
    assert.ok(backlog.length > 20 && fresh.length > 0);
    assert.deepEqual([...backlog, ...fresh], upTo(29));
    const drained = stage.log.saying('everything that waited is delivered');
    assert.deepEqual(
      drained.map(({ fields }) => fields?.['readings']),
      [backlog.length],
    );
  });

  it('what is written in one go begins with a full reading, whatever was delivered before it', async () => {
    const stage = new Stage();
    stage.sample({ n: 0, mode: 'x' });
    await stage.deliver(stage.outbox.fresh);
    stage.sample({ n: 1 }, false);
    stage.sample({ n: 2 }, false);
    await stage.outbox.flush();
    const written = await stage.deliver(stage.outbox.backlog);
    assert.deepEqual(written, [{ n: 1, mode: 'x' }, { n: 2 }]);
  });
});

describe('when the disk refuses', () => {
  it('nothing is lost: they wait in memory, it is told once, and the disk is asked at every flush', async () => {
    const stage = new Stage();
    stage.keep();
    stage.disk.refuses = 'ENOSPC';
    await stage.pass(600_000);
    assert.ok(stage.disk.appends >= 9, `${stage.disk.appends}`);
    const [line, ...more] = stage.log.saying(/the disk does not take/);
    assert.deepEqual([line?.level, line?.fields['code'], more.length], ['error', 'ENOSPC', 0]);
    const delivered = [
      ...numbers(await stage.deliver(stage.outbox.backlog)),
      ...numbers(await stage.deliver(stage.outbox.fresh)),
    ];
    assert.deepEqual(delivered, upTo(60));
  });

  it('and then takes them again, they all go there, in order, and it is told', async () => {
    const stage = new Stage();
    stage.keep();
    stage.disk.refuses = 'EROFS';
    await stage.pass(300_000);
    assert.equal(stage.disk.size, 0);
    stage.disk.refuses = undefined;
    await stage.pass(70_000);
    assert.ok(stage.disk.size > 30);
    assert.equal(stage.log.saying('the disk takes readings again').length, 1);
    const delivered = [
      ...numbers(await stage.deliver(stage.outbox.backlog)),
      ...numbers(await stage.deliver(stage.outbox.fresh)),
    ];
    assert.deepEqual(delivered, upTo(37));
  });

  it('beyond the bound of the memory the oldest go, and how many is told with the next that arrives', async () => {
    const stage = new Stage({ memoryBytesMax: 5_000 });
    stage.keep();
    stage.disk.refuses = 'EIO';
    await stage.pass(3_600_000);
    const delivered = [
      ...(await stage.deliver(stage.outbox.backlog)),
      ...(await stage.deliver(stage.outbox.fresh)),
    ];
    const told = delivered.reduce((sum, values) => sum + Number(values['lostReadings'] ?? 0), 0);
    const arrived = delivered.filter((values) => 'n' in values).length;
    assert.equal(told + stage.losses.untold + arrived, 360);
    assert.ok(arrived > 10 && arrived < 200, `${arrived}`);
  });

  it('a disk that is taken away for good is no reason to lose what is fresh: memory alone will do', async () => {
    const { clock, log, losses } = new Stage();
    const stamp = () => ({ bootId: clock.bootId, bootMs: clock.bootMs(), tsMs: clock.wallMs() });
    const outbox = new JoinedOutbox(
      { clock, log, losses, stamp },
      { spoolAfterMs: 60_000, flushEveryMs: 60_000 },
    );
    for (let n = 0; n < 100; n += 1) outbox.append({ ...stamp(), values: { n }, full: true });
    await outbox.close();
    assert.equal(outbox.backlog.size, 100);
  });
});

describe('what was found broken once', () => {
  it('a disk that hangs does not hold up who is told to stop', async () => {
    const stage = new Stage();
    const keeping = stage.outbox.keep(stage.stop.signal);
    stage.disk.hangs = true;
    await stage.pass(100_000);
    assert.equal(stage.disk.appends, 1);
    assert.ok(stage.outbox.size >= 10, 'what is on its way is counted');
    stage.stop.abort();
    await keeping;
  });

  it('losses that a flush makes are told on the same disk, at once', async () => {
    const stage = new Stage();
    stage.disk.onAppend = () => {
      if (stage.disk.appends === 1) stage.losses.add({ readings: 7, why: 'spool full' });
    };
    stage.sample({ n: 0 });
    await stage.outbox.close();
    assert.equal(stage.losses.untold, 0);
    const [, gap] = await stage.deliver(stage.outbox.backlog);
    assert.equal(gap?.['lostReadings'], 7);
  });

  it('tries of a disk that refuses cost a full memory no reading by their gap records', async () => {
    const stage = new Stage({ memoryBytesMax: 5_000 });
    stage.disk.refuses = 'ENOSPC';
    stage.keep();
    await stage.pass(1_800_000);
    const before = stage.losses.total;
    for (let tries = 0; tries < 50; tries += 1) await stage.outbox.flush();
    assert.ok(stage.losses.total - before <= 1, `${stage.losses.total - before} lost by trying`);
  });

  it('what waits in memory goes to a disk that has healed, though nothing fresh waits any more', async () => {
    const stage = new Stage();
    stage.keep();
    stage.disk.refuses = 'EIO';
    await stage.pass(100_000);
    stage.disk.refuses = undefined;
    await stage.deliver(stage.outbox.fresh);
    await stage.clock.advance(120_000);
    assert.ok(stage.disk.size >= 6, `${stage.disk.size}`);
  });

  it('a disk that takes a part of a long row keeps that part, and what is left begins with a full reading', async () => {
    const stage = new Stage();
    stage.sample({ n: 0, mode: 'x' });
    for (let n = 1; n < 600; n += 1) stage.sample({ n }, false);
    stage.disk.onAppend = () => {
      if (stage.disk.appends === 3) stage.disk.refuses = 'ENOSPC';
    };
    await stage.outbox.flush();
    assert.equal(stage.disk.size, 512);
    const all = await stage.deliver(stage.outbox.backlog);
    assert.deepEqual(numbers(all), upTo(600));
    assert.equal(all[512]?.['mode'], 'x');
  });

  it('a flush of nothing costs delivery nothing it knows of its batches', async () => {
    const stage = new Stage();
    await stage.outbox.flush();
    const { epoch } = stage.outbox.backlog;
    stage.sample({ n: 1 });
    await stage.outbox.flush();
    assert.equal(stage.outbox.backlog.epoch, epoch);
  });
});

describe('closing', () => {
  it('brings what waits to the disk, what is under way without a date included, and untold losses with it', async () => {
    const stage = new Stage();
    stage.losses.add({ readings: 3, why: 'memory full' });
    const { clock, outbox } = stage;
    outbox.append({ bootId: clock.bootId, bootMs: clock.bootMs(), values: { n: 1 }, full: true });
    assert.ok(outbox.offerLive());
    await outbox.close();
    assert.equal(stage.disk.size, 2);
    assert.equal(outbox.fresh.size, 0);
  });

  it('with nothing undelivered writes nothing', async () => {
    const stage = new Stage();
    stage.sample({ n: 1 });
    await stage.deliver(stage.outbox.fresh);
    await stage.outbox.close();
    assert.equal(stage.disk.appends, 0);
  });

  it('ends the keeper with its signal, and leaves no listener', async () => {
    const stage = new Stage();
    const keeping = stage.outbox.keep(stage.stop.signal);
    await stage.pass(200_000);
    stage.stop.abort();
    await keeping;
    assert.equal(getEventListeners(stage.stop.signal, 'abort').length, 0);
    assert.equal(stage.clock.sleeping, 0);
  });
});

describe('changes of the outbox', () => {
  it('are not missed by whoever saw the state before them, and are waited for by who did not', async () => {
    const stage = new Stage();
    const { signal } = stage.stop;
    const before = stage.outbox.version;
    stage.sample({ n: 1 });
    await stage.outbox.waitForChange(before, signal);
    let over = false;
    const wait = stage.outbox.waitForChange(stage.outbox.version, signal).then(() => {
      over = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(over, false);
    stage.sample({ n: 2 });
    await wait;
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});

it('an undated reading that has to stay because it is under way does not turn the keeper into a busy loop', async () => {
  const stage = new Stage();
  const { clock, outbox } = stage;
  outbox.append({ bootId: clock.bootId, bootMs: clock.bootMs(), values: { n: 1 }, full: true });
  assert.ok(outbox.offerLive());
  stage.keep();
  await clock.advance(120_000);
  assert.equal(stage.disk.appends, 0);
  assert.equal(outbox.size, 1);
});
