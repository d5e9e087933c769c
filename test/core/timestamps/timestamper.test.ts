/** Instants before the first synchronisation, after it, and after the clock was set. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { BOOT_MS, HOUR_MS, TimestamperHarness, WALL_MS, wrongBy } from './timestamper-harness.ts';

const levels = (harness: TimestamperHarness) =>
  harness.log.logged.map(({ level, fields }) => ({ level, ...fields }));

describe('before the first synchronisation', () => {
  it('an instant before synchronisation has a boot time but no timestamp', async () => {
    await using harness = new TimestamperHarness();
    await harness.clock.advance(1000.25);
    assert.deepEqual(harness.timestamper.now(), { bootId: 'this-boot', bootMs: BOOT_MS + 1000 });
    assert.equal(harness.timestamper.firstOffsetMs, undefined);
  });

  it('no step is checked before the first synchronisation', async () => {
    await using harness = new TimestamperHarness();
    for (const stepMs of [90 * 24 * HOUR_MS, -HOUR_MS]) {
      harness.clock.stepWall(stepMs);
      assert.deepEqual(wrongBy(await harness.instantAt(70_000)), Array(7).fill(undefined));
    }
    assert.deepEqual(harness.timeSync.stepQueriedMs, []);
  });

  it('the time service is polled every 2 s, 10 s after 1 min, 60 s after 11 min', async () => {
    await using harness = new TimestamperHarness();
    await harness.clock.advance(840_000);
    const seconds = harness.timeSync.queriedMs.map((ms) => ms / 1000);
    const minute = Array.from({ length: 31 }, (_, i) => 2 * i);
    const tenMinutes = Array.from({ length: 60 }, (_, i) => 70 + 10 * i);
    assert.deepEqual(seconds, [...minute, ...tenMinutes, 720, 780, 840]);
  });

  it('an unsynchronised clock is logged once after two minutes with the remedy', async () => {
    await using harness = new TimestamperHarness();
    await harness.clock.advance(119_000);
    assert.equal(harness.log.logged.length, 0);
    await harness.clock.advance(1000);
    assert.equal(harness.log.logged.length, 1);
    await harness.clock.advance(HOUR_MS);
    assert.deepEqual(
      harness.log.logged.map(({ level }) => level),
      ['warn'],
    );
    assert.match(harness.log.logged[0]?.message ?? '', /check the time service.*clock\.trust = "system"/);
  });
});

describe('the first synchronisation', () => {
  it('the first synchronisation is logged once and dates later readings', async () => {
    await using harness = new TimestamperHarness();
    await harness.clock.advance(3000);
    harness.clock.stepWall(90 * 24 * HOUR_MS);
    harness.timeSync.synchronised = true;
    await harness.clock.advance(2000);
    assert.deepEqual(levels(harness), [{ level: 'info', afterS: 4 }]);
    assert.equal(harness.timestamper.now().tsMs, harness.clock.wallMs());
    await harness.clock.advance(HOUR_MS);
    assert.equal(harness.timeSync.queriedMs.length, 3, 'the time service is not polled again');
    assert.equal(harness.log.logged.length, 1);
  });

  it('the first offset dates queued readings and never changes', async () => {
    await using harness = new TimestamperHarness();
    const { bootMs } = harness.timestamper.now();
    await harness.clock.advance(1000);
    const offsetMs = WALL_MS - BOOT_MS;
    harness.timeSync.synchronised = true;
    harness.timeSync.confirms = true;
    await harness.clock.advance(1000);
    assert.deepEqual(harness.firstOffsetsMs, [offsetMs]);
    harness.clock.stepWall(HOUR_MS);
    await harness.instantAt(120_000);
    assert.deepEqual(harness.firstOffsetsMs, [offsetMs]);
    assert.equal(harness.timestamper.firstOffsetMs, offsetMs);
    assert.equal(bootMs + offsetMs, WALL_MS);
  });

  it('synchronisation is checked again if the clock moved during the check', async () => {
    await using harness = new TimestamperHarness();
    await harness.clock.advance(0);
    harness.timeSync.synchronised = true;
    harness.timeSync.whileQuerying = async () => harness.clock.stepWall(51);
    await harness.clock.advance(3000);
    assert.equal(harness.timestamper.now().tsMs, undefined);
    harness.timeSync.whileQuerying = async () => harness.clock.stepWall(50);
    await harness.clock.advance(1000);
    assert.equal(harness.timestamper.now().tsMs, harness.clock.wallMs());
    assert.deepEqual(harness.timeSync.queriedMs, [0, 2000, 4000]);
  });

  it('synchronisation after a stop is not reported', async () => {
    await using harness = new TimestamperHarness();
    harness.timeSync.isSynchronised = async () => {
      harness.stop.abort();
      return true;
    };
    await harness.clock.advance(2000);
    assert.equal(harness.stop.signal.aborted, true);
    assert.deepEqual([harness.firstOffsetsMs, harness.log.logged], [[], []]);
  });

  it('an exception of onFirstOffset rejects run', async () => {
    const harness = new TimestamperHarness({ synchronised: true });
    const watching = harness.timestamper.run(() => Promise.reject(new Error('a bug')), harness.stop.signal);
    await assert.rejects(watching, /a bug/);
    harness.stop.abort();
  });
});

describe('once synchronised', () => {
  it('two instants of one millisecond differ in timestamp and time since boot', async () => {
    await using harness = await TimestamperHarness.synchronised();
    const instants = [harness.timestamper.now(), harness.timestamper.now(), harness.timestamper.now()];
    assert.deepEqual(
      instants.map(({ tsMs = 0 }) => tsMs - WALL_MS),
      [0, 1, 2],
    );
    assert.deepEqual(
      instants.map(({ bootMs }) => bootMs - BOOT_MS),
      [0, 1, 2],
    );
  });

  it('timestamps follow a clock that moves by up to a second, without a log line', async () => {
    await using harness = await TimestamperHarness.synchronised();
    for (const stepMs of [1000, -1000, 400, 400, 400, -999]) {
      harness.clock.stepWall(stepMs);
      await harness.clock.advance(10_000);
      assert.equal(harness.timestamper.now().tsMs, harness.clock.wallMs());
    }
    assert.deepEqual([harness.timeSync.stepQueriedMs, harness.log.logged.length], [[], 1]);
  });

  it('timestamps continue while the time service has no server for nine hours', async () => {
    await using harness = await TimestamperHarness.synchronised();
    harness.timeSync.synchronised = false;
    const instants = await harness.instantAt(9 * HOUR_MS);
    assert.deepEqual(new Set(wrongBy(instants)), new Set([0]));
    assert.equal(harness.log.logged.length, 1);
  });

  it('timestamps are right after a suspend, without a check', async () => {
    await using harness = await TimestamperHarness.synchronised();
    harness.clock.suspend(8 * HOUR_MS);
    assert.equal(harness.timestamper.now().tsMs, WALL_MS + 8 * HOUR_MS);
    assert.deepEqual(harness.timeSync.stepQueriedMs, []);
  });

  it('a stop ends run at once and leaves no listener and no sleeper', async () => {
    const harness = await TimestamperHarness.synchronised();
    await harness.instantAt(130_000);
    harness.stop.abort();
    await harness.running;
    assert.equal(getEventListeners(harness.stop.signal, 'abort').length, 0);
    assert.equal(harness.clock.sleeping, 0);
  });
});

describe('a trusted clock', () => {
  it('a trusted clock dates the first reading, without checks, and all steps apply', async () => {
    await using harness = new TimestamperHarness({ trust: 'system' });
    assert.equal(harness.timestamper.now().tsMs, WALL_MS);
    for (const stepMs of [HOUR_MS, -3 * HOUR_MS, 700]) {
      await harness.clock.advance(10_000);
      harness.clock.stepWall(stepMs);
      assert.equal(harness.timestamper.now().tsMs, harness.clock.wallMs());
    }
    assert.deepEqual([harness.timeSync.queriedMs, harness.timeSync.stepQueriedMs], [[], []]);
    assert.deepEqual(levels(harness), [
      { level: 'info' },
      { level: 'info', byS: 3600 },
      { level: 'info', byS: -10_800 },
    ]);
  });

  it('anchors once, by the first look', async () => {
    await using harness = new TimestamperHarness({ trust: 'system' });
    harness.clock.stepWall(HOUR_MS);
    await harness.clock.advance(200_000);
    assert.deepEqual(harness.firstOffsetsMs, [WALL_MS - BOOT_MS]);
    assert.equal(harness.timestamper.firstOffsetMs, WALL_MS - BOOT_MS);
  });
});
