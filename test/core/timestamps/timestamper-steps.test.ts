/** What becomes of dates when the clock is set: by the time service, by hand, and any number of times. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Stamp } from '../../../src/core/model/reading.ts';
import { GivenDates } from '../../../src/core/timestamps/unique-timestamps.ts';
import { DatingStage, HOUR_MS, wrongBy } from './timestamper-harness.ts';

const stepLines = (stage: DatingStage) =>
  stage.log.told.slice(1).map(({ level, fields }) => [level, fields['byS']]);

for (const stepMs of [1001, -1001, HOUR_MS, -HOUR_MS, 400 * 24 * HOUR_MS]) {
  describe(`a step of ${stepMs / 1000} s`, () => {
    it('that the time service confirms counts for what is stamped after it, and is told', async () => {
      await using stage = await DatingStage.synchronised();
      stage.timeSync.confirms = true;
      const before = await stage.stampFor(50_000);
      stage.clock.stepWall(stepMs);
      const seeing = stage.dating.stamp();
      const after = await stage.stampFor(50_000);
      assert.deepEqual(
        wrongBy([...before, seeing]),
        Array(6).fill(0),
        'the one that saw it has the old time',
      );
      assert.deepEqual(wrongBy(after), Array(5).fill(stepMs));
      assert.deepEqual(stage.timeSync.stepAskedMs, [50_000], 'asked at once');
      assert.deepEqual(stepLines(stage), [['info', Math.round(stepMs / 100) / 10]]);
    });

    it('that nobody confirms changes no date, and is told once', async () => {
      await using stage = await DatingStage.synchronised();
      stage.clock.stepWall(stepMs);
      const stamps = await stage.stampFor(24 * HOUR_MS);
      assert.deepEqual(new Set(wrongBy(stamps)), new Set([0]));
      assert.deepEqual(stepLines(stage), [['warn', Math.round(stepMs / 100) / 10]]);
      assert.ok(stage.timeSync.stepAskedMs.length < 31 + 61 + 24 * 60, 'asked ever more rarely');
    });

    it('that is confirmed late counts from then on', async () => {
      await using stage = await DatingStage.synchronised();
      stage.clock.stepWall(stepMs);
      await stage.stampFor(HOUR_MS);
      stage.timeSync.confirms = true;
      await stage.stampFor(60_000);
      await stage.clock.advance(5);
      assert.equal(stage.dating.stamp().tsMs, stage.clock.wallMs());
      assert.deepEqual(
        stepLines(stage).map(([level]) => level),
        ['warn', 'info'],
      );
    });

    it('is found within a minute when nobody stamps', async () => {
      await using stage = await DatingStage.synchronised();
      stage.timeSync.confirms = true;
      await stage.clock.advance(5000);
      stage.clock.stepWall(stepMs);
      await stage.clock.advance(55_000);
      assert.equal(stage.dating.stamp().tsMs, stage.clock.wallMs());
    });
  });
}

it('a clock that comes back from a step is followed again; the next step is a new one', async () => {
  await using stage = await DatingStage.synchronised();
  for (const turn of [1, 2]) {
    stage.clock.stepWall(HOUR_MS);
    stage.dating.stamp();
    await stage.clock.advance(0);
    assert.equal(stage.timeSync.stepAskedMs.at(-1), stage.clock.monotonicMs(), 'asked at once');
    await stage.stampFor(120_000);
    stage.clock.stepWall(-HOUR_MS + 300);
    const [stamp] = (await stage.stampFor(120_000)).slice(-1);
    assert.deepEqual(wrongBy(stamp ? [stamp] : []), [300 * turn]);
  }
  assert.deepEqual(
    stepLines(stage).map(([level]) => level),
    ['warn', 'info', 'warn', 'info'],
  );
});

it('a second step while one is unconfirmed is asked about at once', async () => {
  await using stage = await DatingStage.synchronised();
  stage.clock.stepWall(HOUR_MS);
  await stage.stampFor(HOUR_MS);
  const { length } = stage.timeSync.stepAskedMs;
  await stage.clock.advance(5000);
  stage.clock.stepWall(HOUR_MS);
  stage.timeSync.confirms = true;
  stage.dating.stamp();
  await stage.clock.advance(0);
  assert.equal(stage.timeSync.stepAskedMs.length, length + 1);
  assert.deepEqual(stepLines(stage).at(-1), ['info', 7200]);
});

it('a second step while the first is being asked about is asked about next, without a wait', async () => {
  await using stage = await DatingStage.synchronised();
  stage.timeSync.meanwhile = async () => {
    stage.timeSync.meanwhile = async () => {};
    stage.clock.stepWall(HOUR_MS);
    stage.dating.stamp();
  };
  stage.clock.stepWall(HOUR_MS);
  stage.dating.stamp();
  await stage.clock.advance(0);
  assert.deepEqual(stage.timeSync.stepAskedMs, [0, 0]);
});

it('a yes is not believed when the clock moved while it was under way', async () => {
  await using stage = await DatingStage.synchronised();
  stage.timeSync.confirms = true;
  stage.timeSync.meanwhile = async () => stage.clock.stepWall(60);
  stage.clock.stepWall(HOUR_MS);
  assert.deepEqual(wrongBy(await stage.stampFor(30_000)), [0, 0, 0]);
  stage.timeSync.meanwhile = async () => {};
  await stage.clock.advance(2000);
  assert.equal(stage.dating.stamp().tsMs, stage.clock.wallMs());
});

it('a clock set back by whole beats gives no date for the second time', async () => {
  await using stage = await DatingStage.synchronised();
  stage.timeSync.confirms = true;
  const stamps = [...(await stage.stampFor(HOUR_MS))];
  stage.clock.stepWall(-HOUR_MS / 2);
  stamps.push(stage.dating.stamp(), ...(await stage.stampFor(HOUR_MS)));
  assert.equal(new Set(stamps.map(({ tsMs }) => tsMs)).size, stamps.length);
});

it('a clock set back to before the first synchronisation gives no date that the undated ones will have', async () => {
  await using stage = new DatingStage();
  const waiting = await stage.stampFor(HOUR_MS / 2);
  stage.timeSync.synchronised = true;
  stage.timeSync.confirms = true;
  await stage.stampFor(60_000);
  stage.clock.stepWall(-HOUR_MS / 2);
  const dated = await stage.stampFor(HOUR_MS / 2);
  const offsetMs = stage.dating.firstOffsetMs ?? 0;
  const dates = [
    ...waiting.map(({ bootMs }) => Math.round(bootMs + offsetMs)),
    ...dated.map(({ tsMs }) => tsMs),
  ];
  assert.equal(new Set(dates).size, dates.length);
});

it('the memory of given dates is bounded: what was 4096 dates ago may come again', () => {
  const given = new GivenDates();
  assert.deepEqual([given.take(0), given.take(0), given.take(0)], [0, 1, 2]);
  for (let count = 3; count < 4096; count++) given.take(count);
  assert.equal(given.take(0), 4096);
  assert.equal(given.take(0), 0, 'forgotten by now');
});

/** What may happen to a clock, and when a stamp is taken. */
const happening = fc.oneof(
  fc.record({ type: fc.constant('stamp' as const) }),
  fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 90_000 }) }),
  fc.record({ type: fc.constant('suspend' as const), ms: fc.integer({ min: 0, max: HOUR_MS }) }),
  fc.record({ type: fc.constant('step' as const), ms: fc.integer({ min: -HOUR_MS, max: HOUR_MS }) }),
  fc.record({ type: fc.constant('nudge' as const), ms: fc.integer({ min: -1000, max: 1000 }) }),
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** Plays it, and returns every stamp with the true time since boot at which it was taken. */
async function play(stage: DatingStage, story: readonly Happening[]) {
  const taken: { readonly stamp: Stamp; readonly bootMs: number }[] = [];
  for (const event of story) {
    if (event.type === 'pass') await stage.clock.advance(event.ms);
    else if (event.type === 'suspend') stage.clock.suspend(event.ms);
    else if (event.type !== 'stamp') stage.clock.stepWall(event.ms);
    const bootMs = stage.clock.bootMs();
    taken.push({ stamp: stage.dating.stamp(), bootMs });
  }
  return taken;
}

const stories = fc.array(happening, { maxLength: 40 });

describe('whatever happens to the clock', () => {
  it('no two dates are the same, and the time since boot is never off by more than the stamps of one millisecond', async () => {
    await fc.assert(
      fc.asyncProperty(stories, fc.boolean(), fc.boolean(), async (story, confirms, isTrusted) => {
        await using stage = new DatingStage({
          synchronised: true,
          trust: isTrusted ? 'system' : 'synchronised',
        });
        stage.timeSync.confirms = confirms;
        await stage.clock.advance(0);
        const taken = await play(stage, story);
        const dates = taken.map(({ stamp }) => stamp.tsMs);
        assert.ok(dates.every(Number.isSafeInteger));
        assert.equal(new Set(dates).size, taken.length);
        for (const { stamp, bootMs } of taken) {
          assert.ok(stamp.bootMs >= bootMs && stamp.bootMs <= bootMs + story.length);
        }
      }),
    );
  });

  it('dates keep their distances, to the millisecond, when no step is confirmed', async () => {
    // Steps of whole 40 s, so that a clock that comes back comes back to the very millisecond.
    const coarse = (story: readonly Happening[]): readonly Happening[] =>
      story
        .filter(({ type }) => type !== 'nudge')
        .map((event) =>
          event.type === 'step' ? { type: 'step', ms: Math.round(event.ms / 40_000) * 40_000 } : event,
        );
    await fc.assert(
      fc.asyncProperty(stories.map(coarse), async (story) => {
        await using stage = await DatingStage.synchronised();
        const stamps = (await play(stage, story)).map(({ stamp }) => stamp);
        assert.deepEqual(wrongBy(stamps), Array(stamps.length).fill(0));
      }),
    );
  });

  it('a minute after the last step the date is that of the wall clock when steps are confirmed', async () => {
    await fc.assert(
      fc.asyncProperty(stories, async (story) => {
        await using stage = await DatingStage.synchronised();
        stage.timeSync.confirms = true;
        await play(stage, story);
        await stage.clock.advance(62_000);
        const tsMs = stage.dating.stamp().tsMs ?? 0;
        assert.ok(tsMs - stage.clock.wallMs() >= 0 && tsMs - stage.clock.wallMs() <= story.length + 1);
      }),
    );
  });

  it('nothing has a date before the first synchronisation', async () => {
    await fc.assert(
      fc.asyncProperty(stories, async (story) => {
        await using stage = new DatingStage();
        for (const { stamp } of await play(stage, story)) assert.equal('tsMs' in stamp, false);
      }),
    );
  });
});
