/** What one process of a boot leaves to the next about the clock, and what the next makes of it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BOOT_MS, DatingStage, HOUR_MS, WALL_MS, wrongBy } from './timestamper-harness.ts';

const RIGHT_MS = WALL_MS - BOOT_MS;

describe('what is kept for the next process', () => {
  it('is nothing while no time service vouches for the clock', async () => {
    await using stage = new DatingStage();
    await stage.stampFor(HOUR_MS);
    assert.deepEqual(stage.memory.kept, []);
  });

  it('is the first offset, before anything is dated by it, and is not written again while nothing moves', async () => {
    await using stage = await DatingStage.synchronised();
    assert.deepEqual(stage.memory.kept, [{ firstMs: RIGHT_MS, believedMs: RIGHT_MS }]);
    await stage.stampFor(HOUR_MS);
    assert.equal(stage.memory.kept.length, 1);
  });

  it('follows a clock that is slowly put right, within a minute', async () => {
    await using stage = await DatingStage.synchronised();
    stage.clock.stepWall(400);
    await stage.stampFor(60_000);
    assert.deepEqual(stage.memory.recall(), { firstMs: RIGHT_MS, believedMs: RIGHT_MS + 400 });
  });

  it('is a step only once it is confirmed', async () => {
    await using stage = await DatingStage.synchronised();
    stage.clock.stepWall(HOUR_MS);
    await stage.stampFor(60_000);
    assert.equal(stage.memory.recall()?.believedMs, RIGHT_MS);
    stage.timeSync.confirms = true;
    await stage.stampFor(60_000);
    assert.deepEqual(stage.memory.recall(), { firstMs: RIGHT_MS, believedMs: RIGHT_MS + HOUR_MS });
  });

  it('of a clock that is trusted unasked is only the first offset', async () => {
    await using stage = new DatingStage({ trust: 'system' });
    await stage.stampFor(60_000);
    assert.deepEqual(stage.memory.kept, [{ firstMs: RIGHT_MS }]);
  });
});

describe('a process that finds what the one before it believed', () => {
  it('dates its first reading by that, and asks nobody', async () => {
    await using stage = new DatingStage({ known: { firstMs: RIGHT_MS - 7, believedMs: RIGHT_MS } });
    assert.deepEqual(wrongBy([stage.dating.stamp()]), [0]);
    await stage.clock.advance(0);
    assert.deepEqual(stage.anchoredMs, [RIGHT_MS - 7], 'what waits undated gets the date it had');
    assert.deepEqual(stage.timeSync.askedMs, []);
  });

  it('holds it against a clock that was set meanwhile, until the time service confirms', async () => {
    await using stage = new DatingStage({ known: { firstMs: RIGHT_MS, believedMs: RIGHT_MS } });
    stage.clock.stepWall(-HOUR_MS);
    assert.deepEqual(new Set(wrongBy(await stage.stampFor(120_000))), new Set([0]));
    assert.ok(stage.timeSync.stepAskedMs.length > 0, 'it asks');
    stage.timeSync.confirms = true;
    assert.equal(wrongBy(await stage.stampFor(120_000)).at(-1), -HOUR_MS);
  });

  it('does not believe it where the clock is trusted unasked', async () => {
    await using stage = new DatingStage({ trust: 'system', known: { firstMs: RIGHT_MS - 9, believedMs: 1 } });
    assert.deepEqual(wrongBy([stage.dating.stamp()]), [0]);
    await stage.clock.advance(0);
    assert.deepEqual(stage.anchoredMs, [RIGHT_MS - 9]);
  });
});

it('a process that only finds what dated the readings before dates its own undated ones alike', async () => {
  await using stage = new DatingStage({ known: { firstMs: RIGHT_MS - 324 } });
  assert.equal(stage.dating.stamp().tsMs, undefined);
  stage.timeSync.synchronised = true;
  await stage.stampFor(10_000);
  assert.deepEqual(stage.anchoredMs, [RIGHT_MS - 324]);
  assert.deepEqual(wrongBy([stage.dating.stamp()]), [0], 'what is read from here on has the time of now');
});
