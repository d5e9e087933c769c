/** What a stamp says before the first synchronisation, after it, and after the clock was set. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { BOOT_MS, DatingStage, HOUR_MS, WALL_MS, wrongBy } from './timestamper-harness.ts';

const levels = (stage: DatingStage) => stage.log.told.map(({ level, fields }) => ({ level, ...fields }));

describe('before the first synchronisation', () => {
  it('a stamp has its boot and the time since, and no date, however plausible the clock', async () => {
    await using stage = new DatingStage();
    await stage.clock.advance(1000.25);
    assert.deepEqual(stage.dating.stamp(), { bootId: 'this-boot', bootMs: BOOT_MS + 1000 });
    assert.equal(stage.dating.firstOffsetMs, undefined);
  });

  it('no step of the clock is asked about, in either direction', async () => {
    await using stage = new DatingStage();
    for (const stepMs of [90 * 24 * HOUR_MS, -HOUR_MS]) {
      stage.clock.stepWall(stepMs);
      assert.deepEqual(wrongBy(await stage.stampFor(70_000)), Array(7).fill(undefined));
    }
    assert.deepEqual(stage.timeSync.stepAskedMs, []);
  });

  it('the time service is asked every 2 s for a minute, every 10 s for ten, then every minute', async () => {
    await using stage = new DatingStage();
    await stage.clock.advance(840_000);
    const seconds = stage.timeSync.askedMs.map((ms) => ms / 1000);
    const minute = Array.from({ length: 31 }, (_, i) => 2 * i);
    const tenMinutes = Array.from({ length: 60 }, (_, i) => 70 + 10 * i);
    assert.deepEqual(seconds, [...minute, ...tenMinutes, 720, 780, 840]);
  });

  it('the operator is told after two minutes, once, with the remedy', async () => {
    await using stage = new DatingStage();
    await stage.clock.advance(119_000);
    assert.equal(stage.log.told.length, 0);
    await stage.clock.advance(1000);
    assert.equal(stage.log.told.length, 1);
    await stage.clock.advance(HOUR_MS);
    assert.deepEqual(
      stage.log.told.map(({ level }) => level),
      ['warn'],
    );
    assert.match(stage.log.told[0]?.message ?? '', /check the time service.*clock\.trust = "system"/);
  });
});

describe('the first synchronisation', () => {
  it('is told once with its delay, and dates what comes after by the clock', async () => {
    await using stage = new DatingStage();
    await stage.clock.advance(3000);
    stage.clock.stepWall(90 * 24 * HOUR_MS);
    stage.timeSync.synchronised = true;
    await stage.clock.advance(2000);
    assert.deepEqual(levels(stage), [{ level: 'info', afterS: 4 }]);
    assert.equal(stage.dating.stamp().tsMs, stage.clock.wallMs());
    await stage.clock.advance(HOUR_MS);
    assert.equal(stage.timeSync.askedMs.length, 3, 'nobody is asked again');
    assert.equal(stage.log.told.length, 1);
  });

  it('anchors what waited, once, by the offset that later steps do not change', async () => {
    await using stage = new DatingStage();
    const { bootMs } = stage.dating.stamp();
    await stage.clock.advance(1000);
    const offsetMs = WALL_MS - BOOT_MS;
    stage.timeSync.synchronised = true;
    stage.timeSync.confirms = true;
    await stage.clock.advance(1000);
    assert.deepEqual(stage.anchoredMs, [offsetMs]);
    stage.clock.stepWall(HOUR_MS);
    await stage.stampFor(120_000);
    assert.deepEqual(stage.anchoredMs, [offsetMs]);
    assert.equal(stage.dating.firstOffsetMs, offsetMs);
    assert.equal(bootMs + offsetMs, WALL_MS);
  });

  it('is asked for again when the clock moved while the answer was under way', async () => {
    await using stage = new DatingStage();
    await stage.clock.advance(0);
    stage.timeSync.synchronised = true;
    stage.timeSync.meanwhile = async () => stage.clock.stepWall(51);
    await stage.clock.advance(3000);
    assert.equal(stage.dating.stamp().tsMs, undefined);
    stage.timeSync.meanwhile = async () => stage.clock.stepWall(50);
    await stage.clock.advance(1000);
    assert.equal(stage.dating.stamp().tsMs, stage.clock.wallMs());
    assert.deepEqual(stage.timeSync.askedMs, [0, 2000, 4000]);
  });

  it('is told to nobody who has stopped meanwhile', async () => {
    await using stage = new DatingStage();
    stage.timeSync.isSynchronised = async () => {
      stage.stop.abort();
      return true;
    };
    await stage.clock.advance(2000);
    assert.equal(stage.stop.signal.aborted, true);
    assert.deepEqual([stage.anchoredMs, stage.log.told], [[], []]);
  });

  it('fails the watch when the anchoring fails, as that is a bug', async () => {
    const stage = new DatingStage({ synchronised: true });
    const watching = stage.dating.watch(() => Promise.reject(new Error('a bug')), stage.stop.signal);
    await assert.rejects(watching, /a bug/);
    stage.stop.abort();
  });
});

describe('once synchronised', () => {
  it('two stamps of one millisecond have neither the same date nor the same time since boot', async () => {
    await using stage = await DatingStage.synchronised();
    const stamps = [stage.dating.stamp(), stage.dating.stamp(), stage.dating.stamp()];
    assert.deepEqual(
      stamps.map(({ tsMs = 0 }) => tsMs - WALL_MS),
      [0, 1, 2],
    );
    assert.deepEqual(
      stamps.map(({ bootMs }) => bootMs - BOOT_MS),
      [0, 1, 2],
    );
  });

  it('the date follows a clock that is moved by up to a second at a time, without a word', async () => {
    await using stage = await DatingStage.synchronised();
    for (const stepMs of [1000, -1000, 400, 400, 400, -999]) {
      stage.clock.stepWall(stepMs);
      await stage.clock.advance(10_000);
      assert.equal(stage.dating.stamp().tsMs, stage.clock.wallMs());
    }
    assert.deepEqual([stage.timeSync.stepAskedMs, stage.log.told.length], [[], 1]);
  });

  it('a time service that has lost its server for nine hours costs no date', async () => {
    await using stage = await DatingStage.synchronised();
    stage.timeSync.synchronised = false;
    const stamps = await stage.stampFor(9 * HOUR_MS);
    assert.deepEqual(new Set(wrongBy(stamps)), new Set([0]));
    assert.equal(stage.log.told.length, 1);
  });

  it('a suspended host wakes with the right date, and nobody is asked', async () => {
    await using stage = await DatingStage.synchronised();
    stage.clock.suspend(8 * HOUR_MS);
    assert.equal(stage.dating.stamp().tsMs, WALL_MS + 8 * HOUR_MS);
    assert.deepEqual(stage.timeSync.stepAskedMs, []);
  });

  it('a stop ends the watch at once and leaves no listener and no sleeper', async () => {
    const stage = await DatingStage.synchronised();
    await stage.stampFor(130_000);
    stage.stop.abort();
    await stage.watching;
    assert.equal(getEventListeners(stage.stop.signal, 'abort').length, 0);
    assert.equal(stage.clock.sleeping, 0);
  });
});

describe("trust in the system's clock", () => {
  it('dates from the first stamp on, asks nobody, and follows every step at once', async () => {
    await using stage = new DatingStage({ trust: 'system' });
    assert.equal(stage.dating.stamp().tsMs, WALL_MS);
    for (const stepMs of [HOUR_MS, -3 * HOUR_MS, 700]) {
      await stage.clock.advance(10_000);
      stage.clock.stepWall(stepMs);
      assert.equal(stage.dating.stamp().tsMs, stage.clock.wallMs());
    }
    assert.deepEqual([stage.timeSync.askedMs, stage.timeSync.stepAskedMs], [[], []]);
    assert.deepEqual(levels(stage), [
      { level: 'info' },
      { level: 'info', byS: 3600 },
      { level: 'info', byS: -10_800 },
    ]);
  });

  it('anchors once, by the first look', async () => {
    await using stage = new DatingStage({ trust: 'system' });
    stage.clock.stepWall(HOUR_MS);
    await stage.clock.advance(200_000);
    assert.deepEqual(stage.anchoredMs, [WALL_MS - BOOT_MS]);
    assert.equal(stage.dating.firstOffsetMs, WALL_MS - BOOT_MS);
  });
});
