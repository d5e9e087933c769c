/** Timestamps when the clock is set, by the time service or by hand, any number of times. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Instant } from '../../../src/core/model/reading.ts';
import { UniqueTimestamps } from '../../../src/core/timestamps/unique-timestamps.ts';
import { HOUR_MS, TimestamperHarness, wrongBy } from './timestamper-harness.ts';

const stepLines = (harness: TimestamperHarness) =>
  harness.log.logged.slice(1).map(({ level, fields }) => [level, fields['byS']]);

for (const stepMs of [1001, -1001, HOUR_MS, -HOUR_MS, 400 * 24 * HOUR_MS]) {
  describe(`a step of ${stepMs / 1000} s`, () => {
    it('a confirmed step applies to later timestamps and is logged', async () => {
      await using harness = await TimestamperHarness.synchronised();
      harness.timeSync.confirms = true;
      const before = await harness.instantAt(50_000);
      harness.clock.stepWall(stepMs);
      const checkNow = harness.timestamper.now();
      const after = await harness.instantAt(50_000);
      assert.deepEqual(
        wrongBy([...before, checkNow]),
        Array(6).fill(0),
        'the one that saw it has the old time',
      );
      assert.deepEqual(wrongBy(after), Array(5).fill(stepMs));
      assert.deepEqual(harness.timeSync.stepQueriedMs, [50_000], 'checked at once');
      assert.deepEqual(stepLines(harness), [['info', Math.round(stepMs / 100) / 10]]);
    });

    it('an unconfirmed step changes no timestamp and is logged once', async () => {
      await using harness = await TimestamperHarness.synchronised();
      harness.clock.stepWall(stepMs);
      const instants = await harness.instantAt(24 * HOUR_MS);
      assert.deepEqual(new Set(wrongBy(instants)), new Set([0]));
      assert.deepEqual(stepLines(harness), [['warn', Math.round(stepMs / 100) / 10]]);
      assert.ok(
        harness.timeSync.stepQueriedMs.length < 31 + 61 + 24 * 60,
        'checked with increasing intervals',
      );
    });

    it('a step that is confirmed late applies from then on', async () => {
      await using harness = await TimestamperHarness.synchronised();
      harness.clock.stepWall(stepMs);
      await harness.instantAt(HOUR_MS);
      harness.timeSync.confirms = true;
      await harness.instantAt(60_000);
      await harness.clock.advance(5);
      assert.equal(harness.timestamper.now().tsMs, harness.clock.wallMs());
      assert.deepEqual(
        stepLines(harness).map(([level]) => level),
        ['warn', 'info'],
      );
    });

    it('a step is found within a minute without readings', async () => {
      await using harness = await TimestamperHarness.synchronised();
      harness.timeSync.confirms = true;
      await harness.clock.advance(5000);
      harness.clock.stepWall(stepMs);
      await harness.clock.advance(55_000);
      assert.equal(harness.timestamper.now().tsMs, harness.clock.wallMs());
    });
  });
}

it('a clock that reverts a step is followed again', async () => {
  await using harness = await TimestamperHarness.synchronised();
  for (const turn of [1, 2]) {
    harness.clock.stepWall(HOUR_MS);
    harness.timestamper.now();
    await harness.clock.advance(0);
    assert.equal(harness.timeSync.stepQueriedMs.at(-1), harness.clock.monotonicMs(), 'checked at once');
    await harness.instantAt(120_000);
    harness.clock.stepWall(-HOUR_MS + 300);
    const [instant] = (await harness.instantAt(120_000)).slice(-1);
    assert.deepEqual(wrongBy(instant ? [instant] : []), [300 * turn]);
  }
  assert.deepEqual(
    stepLines(harness).map(([level]) => level),
    ['warn', 'info', 'warn', 'info'],
  );
});

it('a second step while one is unconfirmed is checked at once', async () => {
  await using harness = await TimestamperHarness.synchronised();
  harness.clock.stepWall(HOUR_MS);
  await harness.instantAt(HOUR_MS);
  const { length } = harness.timeSync.stepQueriedMs;
  await harness.clock.advance(5000);
  harness.clock.stepWall(HOUR_MS);
  harness.timeSync.confirms = true;
  harness.timestamper.now();
  await harness.clock.advance(0);
  assert.equal(harness.timeSync.stepQueriedMs.length, length + 1);
  assert.deepEqual(stepLines(harness).at(-1), ['info', 7200]);
});

it('a second step during the check of the first is checked next without a wait', async () => {
  await using harness = await TimestamperHarness.synchronised();
  harness.timeSync.whileQuerying = async () => {
    harness.timeSync.whileQuerying = async () => {};
    harness.clock.stepWall(HOUR_MS);
    harness.timestamper.now();
  };
  harness.clock.stepWall(HOUR_MS);
  harness.timestamper.now();
  await harness.clock.advance(0);
  assert.deepEqual(harness.timeSync.stepQueriedMs, [0, 0]);
});

it('a confirmation is ignored if the clock moved during the check', async () => {
  await using harness = await TimestamperHarness.synchronised();
  harness.timeSync.confirms = true;
  harness.timeSync.whileQuerying = async () => harness.clock.stepWall(60);
  harness.clock.stepWall(HOUR_MS);
  assert.deepEqual(wrongBy(await harness.instantAt(30_000)), [0, 0, 0]);
  harness.timeSync.whileQuerying = async () => {};
  await harness.clock.advance(2000);
  assert.equal(harness.timestamper.now().tsMs, harness.clock.wallMs());
});

it('a clock set back by whole intervals repeats no timestamp', async () => {
  await using harness = await TimestamperHarness.synchronised();
  harness.timeSync.confirms = true;
  const instants = [...(await harness.instantAt(HOUR_MS))];
  harness.clock.stepWall(-HOUR_MS / 2);
  instants.push(harness.timestamper.now(), ...(await harness.instantAt(HOUR_MS)));
  assert.equal(new Set(instants.map(({ tsMs }) => tsMs)).size, instants.length);
});

it('a clock set back repeats no future timestamp of undated readings', async () => {
  await using harness = new TimestamperHarness();
  const waiting = await harness.instantAt(HOUR_MS / 2);
  harness.timeSync.synchronised = true;
  harness.timeSync.confirms = true;
  await harness.instantAt(60_000);
  harness.clock.stepWall(-HOUR_MS / 2);
  const dated = await harness.instantAt(HOUR_MS / 2);
  const offsetMs = harness.timestamper.firstOffsetMs ?? 0;
  const dates = [
    ...waiting.map(({ bootMs }) => Math.round(bootMs + offsetMs)),
    ...dated.map(({ tsMs }) => tsMs),
  ];
  assert.equal(new Set(dates).size, dates.length);
});

it('the memory of timestamps is bounded: one of 4096 timestamps ago can repeat', () => {
  const issued = new UniqueTimestamps();
  assert.deepEqual([issued.reserve(0), issued.reserve(0), issued.reserve(0)], [0, 1, 2]);
  for (let count = 3; count < 4096; count++) issued.reserve(count);
  assert.equal(issued.reserve(0), 4096);
  assert.equal(issued.reserve(0), 0, 'forgotten by now');
});

it('the timestamp of an undated reading is taken as soon as it has one', () => {
  const issued = new UniqueTimestamps();
  issued.addUndated(7);
  issued.setBootOffset(1_000);
  assert.deepEqual([issued.reserve(1_007), issued.reserve(1_006)], [1_008, 1_006]);
});

/** Changes of the clock, and instants. */
const clockChange = fc.oneof(
  fc.record({ type: fc.constant('instant' as const) }),
  fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 90_000 }) }),
  fc.record({ type: fc.constant('suspend' as const), ms: fc.integer({ min: 0, max: HOUR_MS }) }),
  fc.record({ type: fc.constant('step' as const), ms: fc.integer({ min: -HOUR_MS, max: HOUR_MS }) }),
  fc.record({ type: fc.constant('nudge' as const), ms: fc.integer({ min: -1000, max: 1000 }) }),
);
type ClockChange = typeof clockChange extends fc.Arbitrary<infer T> ? T : never;

/** Runs a scenario; returns each instant with the true time since boot. */
async function runScenario(harness: TimestamperHarness, scenario: readonly ClockChange[]) {
  const taken: { readonly instant: Instant; readonly bootMs: number }[] = [];
  for (const event of scenario) {
    if (event.type === 'pass') await harness.clock.advance(event.ms);
    else if (event.type === 'suspend') harness.clock.suspend(event.ms);
    else if (event.type !== 'instant') harness.clock.stepWall(event.ms);
    const bootMs = harness.clock.bootMs();
    taken.push({ instant: harness.timestamper.now(), bootMs });
  }
  return taken;
}

const scenarios = fc.array(clockChange, { maxLength: 40 });

describe('any changes of the clock', () => {
  it('no two timestamps are equal, and the time since boot stays accurate', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, fc.boolean(), fc.boolean(), async (scenario, confirms, isTrusted) => {
        await using harness = new TimestamperHarness({
          synchronised: true,
          trust: isTrusted ? 'system' : 'synchronised',
        });
        harness.timeSync.confirms = confirms;
        await harness.clock.advance(0);
        const taken = await runScenario(harness, scenario);
        const dates = taken.map(({ instant }) => instant.tsMs);
        assert.ok(dates.every(Number.isSafeInteger));
        assert.equal(new Set(dates).size, taken.length);
        for (const { instant, bootMs } of taken) {
          assert.ok(instant.bootMs >= bootMs && instant.bootMs <= bootMs + scenario.length);
        }
      }),
    );
  });

  it('timestamps keep their distances if no step is confirmed', async () => {
    // Steps of whole 40 s, so that a clock that comes back comes back to the very millisecond.
    const coarse = (scenario: readonly ClockChange[]): readonly ClockChange[] =>
      scenario
        .filter(({ type }) => type !== 'nudge')
        .map((event) =>
          event.type === 'step' ? { type: 'step', ms: Math.round(event.ms / 40_000) * 40_000 } : event,
        );
    await fc.assert(
      fc.asyncProperty(scenarios.map(coarse), async (scenario) => {
        await using harness = await TimestamperHarness.synchronised();
        const instants = (await runScenario(harness, scenario)).map(({ instant }) => instant);
        assert.deepEqual(wrongBy(instants), Array(instants.length).fill(0));
      }),
    );
  });

  it('a minute after a confirmed step timestamps follow the wall clock', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        await using harness = await TimestamperHarness.synchronised();
        harness.timeSync.confirms = true;
        await runScenario(harness, scenario);
        await harness.clock.advance(62_000);
        const tsMs = harness.timestamper.now().tsMs ?? 0;
        assert.ok(tsMs - harness.clock.wallMs() >= 0 && tsMs - harness.clock.wallMs() <= scenario.length + 1);
      }),
    );
  });

  it('no reading has a timestamp before the first synchronisation', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        await using harness = new TimestamperHarness();
        for (const { instant } of await runScenario(harness, scenario))
          assert.equal('tsMs' in instant, false);
      }),
    );
  });
});
