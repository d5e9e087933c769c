/** A date before the release of the program is no date: a time server or GPS receiver that is years behind. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BOOT_MS, HOUR_MS, TimestamperHarness, WALL_MS, wrongBy } from './timestamper-harness.ts';

const DAY_MS = 24 * HOUR_MS;
/** A receiver whose week number rolled over: 1024 weeks back. */
const ROLLED_OVER_MS = 1024 * 7 * DAY_MS;
const releasedMs = WALL_MS - 30 * DAY_MS;
const RIGHT_MS = WALL_MS - BOOT_MS;

const BEFORE = 'FL-CLOCK-BEFORE-RELEASE';

describe('a time service that is synchronised to a date before the release', () => {
  const inThePast = () =>
    new TimestamperHarness({ synchronised: true, wallMs: WALL_MS - ROLLED_OVER_MS, releasedMs });

  it('a date before the release gives no reading a timestamp and is logged once', async () => {
    await using harness = inThePast();
    assert.deepEqual(new Set(wrongBy(await harness.instantAt(2 * HOUR_MS))), new Set([undefined]));
    assert.deepEqual(harness.log.events, [BEFORE]);
    assert.equal(harness.log.logged[0]?.fields['date'], '2006-05-18T00:00:00.000Z');
    assert.equal(harness.timestamper.clockState, 'not synchronised');
    assert.deepEqual(harness.memory.saved, []);
  });

  it('the right date after one before the release dates all readings of the boot', async () => {
    await using harness = inThePast();
    const { bootMs } = harness.timestamper.now();
    await harness.instantAt(60_000);
    harness.clock.stepWall(ROLLED_OVER_MS);
    assert.deepEqual(wrongBy(await harness.instantAt(10_000)), [0]);
    assert.deepEqual(harness.firstOffsetsMs, [RIGHT_MS]);
    assert.equal(bootMs + RIGHT_MS, WALL_MS);
    assert.deepEqual(harness.log.events, [BEFORE, 'FL-CLOCK-SYNCHRONISED']);
  });

  it('a confirmed step to a date before the release changes no timestamp', async () => {
    await using harness = new TimestamperHarness({ synchronised: true, releasedMs });
    await harness.clock.advance(0);
    harness.timeSync.confirms = true;
    harness.clock.stepWall(-ROLLED_OVER_MS);
    assert.deepEqual(new Set(wrongBy(await harness.instantAt(HOUR_MS))), new Set([0]));
    assert.equal(harness.timestamper.clockState, 'step unconfirmed');
    harness.clock.stepWall(ROLLED_OVER_MS);
    assert.deepEqual(new Set(wrongBy(await harness.instantAt(HOUR_MS))), new Set([0]));
    assert.equal(harness.timestamper.clockState, 'synchronised');
    assert.deepEqual(harness.log.events, ['FL-CLOCK-SYNCHRONISED', BEFORE, 'FL-CLOCK-STEP-REVERTED']);
  });

  it('a step to a date before the release is logged also if it is confirmed later', async () => {
    await using harness = new TimestamperHarness({ synchronised: true, releasedMs });
    await harness.clock.advance(0);
    harness.clock.stepWall(-ROLLED_OVER_MS);
    await harness.instantAt(60_000);
    harness.timeSync.confirms = true;
    await harness.instantAt(60_000);
    assert.deepEqual(harness.log.events.slice(1), ['FL-CLOCK-STEP-UNCONFIRMED', BEFORE]);
  });

  it('the offset of an earlier process is not restored if it means a date before the release', async () => {
    const wrongMs = RIGHT_MS - ROLLED_OVER_MS;
    const storedOffsets = { firstMs: wrongMs, believedMs: wrongMs };
    await using harness = new TimestamperHarness({ synchronised: true, releasedMs, storedOffsets });
    assert.equal(harness.timestamper.now().tsMs, undefined);
    await harness.clock.advance(0);
    assert.deepEqual(harness.firstOffsetsMs, [RIGHT_MS]);
  });

  it('a date before the release is accepted if the release is unknown', async () => {
    await using harness = new TimestamperHarness({ synchronised: true, wallMs: WALL_MS - ROLLED_OVER_MS });
    assert.deepEqual(wrongBy(await harness.instantAt(10_000)), [-ROLLED_OVER_MS]);
  });
});

describe('a trusted clock with a date before the release', () => {
  it('a trusted clock with a date before the release dates nothing until it is set', async () => {
    await using harness = new TimestamperHarness({
      trust: 'system',
      wallMs: WALL_MS - ROLLED_OVER_MS,
      releasedMs,
    });
    assert.deepEqual(new Set(wrongBy(await harness.instantAt(HOUR_MS))), new Set([undefined]));
    assert.deepEqual(harness.log.events, [BEFORE]);
    assert.equal(harness.timestamper.clockState, 'not synchronised');
    harness.clock.stepWall(ROLLED_OVER_MS);
    assert.deepEqual(wrongBy(await harness.instantAt(10_000)), [0]);
    assert.deepEqual(harness.firstOffsetsMs, [RIGHT_MS]);
    assert.deepEqual(harness.log.events, [BEFORE, 'FL-CLOCK-TRUSTED']);
    assert.equal(harness.timestamper.clockState, 'trusted');
  });

  it('a trusted clock that is set to a date before the release keeps the previous time', async () => {
    await using harness = new TimestamperHarness({ trust: 'system', releasedMs });
    await harness.instantAt(10_000);
    harness.clock.stepWall(-ROLLED_OVER_MS);
    assert.deepEqual(new Set(wrongBy(await harness.instantAt(HOUR_MS))), new Set([0]));
    assert.equal(harness.timestamper.clockState, 'step unconfirmed');
    harness.clock.stepWall(ROLLED_OVER_MS + 60_000);
    assert.equal(wrongBy(await harness.instantAt(10_000))[0], 60_000);
    assert.deepEqual(harness.log.events, ['FL-CLOCK-TRUSTED', BEFORE, 'FL-CLOCK-STEPPED']);
    assert.equal(harness.timestamper.clockState, 'trusted');
  });

  it('a trusted clock that returns from a date before the release ends the warning', async () => {
    await using harness = new TimestamperHarness({ trust: 'system', releasedMs });
    await harness.instantAt(10_000);
    for (const byMs of [-ROLLED_OVER_MS, ROLLED_OVER_MS]) {
      harness.clock.stepWall(byMs);
      assert.deepEqual(wrongBy(await harness.instantAt(10_000)), [0]);
    }
    assert.deepEqual(harness.log.events, ['FL-CLOCK-TRUSTED', BEFORE, 'FL-CLOCK-STEP-REVERTED']);
  });
});
