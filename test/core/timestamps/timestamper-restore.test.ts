/** The clock offsets that one process of a boot saves and the next one restores. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BOOT_MS, HOUR_MS, TimestamperHarness, WALL_MS, wrongBy } from './timestamper-harness.ts';

const RIGHT_MS = WALL_MS - BOOT_MS;

describe('the saved offsets', () => {
  it('no offset is saved while no time service confirms the clock', async () => {
    await using harness = new TimestamperHarness();
    await harness.instantAt(HOUR_MS);
    assert.deepEqual(harness.memory.saved, []);
  });

  it('the first offset is saved before its use and not again within an hour without a change', async () => {
    await using harness = await TimestamperHarness.synchronised();
    assert.deepEqual(harness.memory.saved, [
      { firstMs: RIGHT_MS, believedMs: RIGHT_MS, savedBootMs: BOOT_MS },
    ]);
    await harness.instantAt(HOUR_MS - 120_000);
    assert.equal(harness.memory.saved.length, 1);
  });

  it('the saved offset follows a slowly corrected clock within a minute', async () => {
    await using harness = await TimestamperHarness.synchronised();
    harness.clock.stepWall(400);
    await harness.instantAt(60_000);
    const savedBootMs = BOOT_MS + 60_000;
    assert.deepEqual(harness.memory.load(), {
      firstMs: RIGHT_MS,
      believedMs: RIGHT_MS + 400,
      savedBootMs,
    });
  });

  it('a step is saved only after its confirmation', async () => {
    await using harness = await TimestamperHarness.synchronised();
    harness.clock.stepWall(HOUR_MS);
    await harness.instantAt(60_000);
    assert.equal(harness.memory.load()?.believedMs, RIGHT_MS);
    harness.timeSync.confirms = true;
    await harness.instantAt(60_000);
    assert.equal(harness.memory.load()?.firstMs, RIGHT_MS);
    assert.equal(harness.memory.load()?.believedMs, RIGHT_MS + HOUR_MS);
  });

  it('the time of the saved offset is renewed each hour, also during an unconfirmed step', async () => {
    await using harness = await TimestamperHarness.synchronised();
    harness.clock.stepWall(2_000);
    await harness.instantAt(3 * HOUR_MS);
    const { believedMs, savedBootMs = 0 } = harness.memory.load() ?? {};
    assert.equal(believedMs, RIGHT_MS);
    assert.ok(harness.clock.bootMs() - savedBootMs <= HOUR_MS + 60_000, `saved at ${savedBootMs}`);
  });

  it('only the first offset of a trusted clock is saved', async () => {
    await using harness = new TimestamperHarness({ trust: 'system' });
    await harness.instantAt(60_000);
    assert.deepEqual(harness.memory.saved, [{ firstMs: RIGHT_MS }]);
  });
});

describe('a process with the accepted offset of an earlier one', () => {
  it('a restored offset dates the first reading without a check', async () => {
    await using harness = new TimestamperHarness({
      storedOffsets: { firstMs: RIGHT_MS - 7, believedMs: RIGHT_MS },
    });
    assert.deepEqual(wrongBy([harness.timestamper.now()]), [0]);
    await harness.clock.advance(0);
    assert.deepEqual(harness.firstOffsetsMs, [RIGHT_MS - 7], 'what waits undated gets the date it had');
    assert.deepEqual(harness.timeSync.queriedMs, []);
  });

  it('a restored offset follows the clock as far as it may have drifted without the agent', async () => {
    const offMs = 1_500;
    const driftedSince = async (hours: number) => {
      await using harness = new TimestamperHarness({
        storedOffsets: {
          firstMs: RIGHT_MS,
          believedMs: RIGHT_MS - offMs,
          savedBootMs: BOOT_MS - hours * HOUR_MS,
        },
      });
      return wrongBy([harness.timestamper.now()]);
    };
    assert.deepEqual(await driftedSince(1), [-offMs]);
    assert.deepEqual(await driftedSince(2), [0]);
  });

  it('a restored offset holds until the time service confirms a step', async () => {
    await using harness = new TimestamperHarness({
      storedOffsets: { firstMs: RIGHT_MS, believedMs: RIGHT_MS },
    });
    harness.clock.stepWall(-HOUR_MS);
    assert.deepEqual(new Set(wrongBy(await harness.instantAt(120_000))), new Set([0]));
    assert.ok(harness.timeSync.stepQueriedMs.length > 0, 'it asks');
    harness.timeSync.confirms = true;
    assert.equal(wrongBy(await harness.instantAt(120_000)).at(-1), -HOUR_MS);
  });

  it('a restored offset is ignored if the clock is trusted', async () => {
    await using harness = new TimestamperHarness({
      trust: 'system',
      storedOffsets: { firstMs: RIGHT_MS - 9, believedMs: 1 },
    });
    assert.deepEqual(wrongBy([harness.timestamper.now()]), [0]);
    await harness.clock.advance(0);
    assert.deepEqual(harness.firstOffsetsMs, [RIGHT_MS - 9]);
  });
});

it('a process with only the first offset dates its undated readings by it', async () => {
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
