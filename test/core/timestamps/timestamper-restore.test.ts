/** What one process of a boot leaves to the next about the clock, and what the next makes of it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BOOT_MS, HOUR_MS, TimestamperHarness, WALL_MS, wrongBy } from './timestamper-harness.ts';

const RIGHT_MS = WALL_MS - BOOT_MS;

describe('what is kept for the next process', () => {
  it('is nothing while no time service vouches for the clock', async () => {
    await using harness = new TimestamperHarness();
    await harness.instantAt(HOUR_MS);
    assert.deepEqual(harness.memory.saved, []);
  });

  it('is the first offset, before anything is dated by it, and is not written again while nothing moves', async () => {
    await using harness = await TimestamperHarness.synchronised();
    assert.deepEqual(harness.memory.saved, [{ firstMs: RIGHT_MS, believedMs: RIGHT_MS }]);
    await harness.instantAt(HOUR_MS);
    assert.equal(harness.memory.saved.length, 1);
  });

  it('follows a clock that is slowly put right, within a minute', async () => {
    await using harness = await TimestamperHarness.synchronised();
    harness.clock.stepWall(400);
    await harness.instantAt(60_000);
    assert.deepEqual(harness.memory.load(), { firstMs: RIGHT_MS, believedMs: RIGHT_MS + 400 });
  });

  it('is a step only once it is confirmed', async () => {
    await using harness = await TimestamperHarness.synchronised();
    harness.clock.stepWall(HOUR_MS);
    await harness.instantAt(60_000);
    assert.equal(harness.memory.load()?.believedMs, RIGHT_MS);
    harness.timeSync.confirms = true;
    await harness.instantAt(60_000);
    assert.deepEqual(harness.memory.load(), { firstMs: RIGHT_MS, believedMs: RIGHT_MS + HOUR_MS });
  });

  it('of a clock that is trusted unasked is only the first offset', async () => {
    await using harness = new TimestamperHarness({ trust: 'system' });
    await harness.instantAt(60_000);
    assert.deepEqual(harness.memory.saved, [{ firstMs: RIGHT_MS }]);
  });
});

describe('a process that finds what the one before it believed', () => {
  it('dates its first reading by that, and asks nobody', async () => {
    await using harness = new TimestamperHarness({
      storedOffsets: { firstMs: RIGHT_MS - 7, believedMs: RIGHT_MS },
    });
    assert.deepEqual(wrongBy([harness.timestamper.now()]), [0]);
    await harness.clock.advance(0);
    assert.deepEqual(harness.firstOffsetsMs, [RIGHT_MS - 7], 'what waits undated gets the date it had');
    assert.deepEqual(harness.timeSync.queriedMs, []);
  });

  it('holds it against a clock that was set meanwhile, until the time service confirms', async () => {
    await using harness = new TimestamperHarness({
      storedOffsets: { firstMs: RIGHT_MS, believedMs: RIGHT_MS },
    });
    harness.clock.stepWall(-HOUR_MS);
    assert.deepEqual(new Set(wrongBy(await harness.instantAt(120_000))), new Set([0]));
    assert.ok(harness.timeSync.stepQueriedMs.length > 0, 'it asks');
    harness.timeSync.confirms = true;
    assert.equal(wrongBy(await harness.instantAt(120_000)).at(-1), -HOUR_MS);
  });

  it('does not believe it where the clock is trusted unasked', async () => {
    await using harness = new TimestamperHarness({
      trust: 'system',
      storedOffsets: { firstMs: RIGHT_MS - 9, believedMs: 1 },
    });
    assert.deepEqual(wrongBy([harness.timestamper.now()]), [0]);
    await harness.clock.advance(0);
    assert.deepEqual(harness.firstOffsetsMs, [RIGHT_MS - 9]);
  });
});

it('a process that only finds what dated the readings before dates its own undated ones alike', async () => {
  await using harness = new TimestamperHarness({ storedOffsets: { firstMs: RIGHT_MS - 324 } });
  assert.equal(harness.timestamper.now().tsMs, undefined);
  harness.timeSync.synchronised = true;
  await harness.instantAt(10_000);
  assert.deepEqual(harness.firstOffsetsMs, [RIGHT_MS - 324]);
  assert.deepEqual(
    wrongBy([harness.timestamper.now()]),
    [0],
    'what is read from here on has the time of now',
  );
});
