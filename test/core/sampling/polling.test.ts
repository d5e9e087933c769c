/** Slow sensors in virtual time: schedule, values and log. */

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { type PolledSensor, Pollers, type PollResult } from '../../../src/core/sampling/polling.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const SLOW_MS = 2000;

/** A sensor that counts how often it is asked, takes its time, and answers as the test says. */
class Scripted implements PolledSensor {
  readonly name: string;
  readonly everyMs: number;
  readonly timeoutMs = 10_000;
  readonly askedAtMs: number[] = [];
  readonly #clock: VirtualClock;
  answer: (round: number) => PollResult = (round) => ({ ok: true, values: { [this.name]: round } });
  takesMs = 0;
  atOnce = 0;
  atOnceMax = 0;

  constructor(clock: VirtualClock, name: string, everyMs: number) {
    this.#clock = clock;
    this.name = name;
    this.everyMs = everyMs;
  }

  async read(signal: AbortSignal): Promise<PollResult> {
    this.askedAtMs.push(this.#clock.monotonicMs());
    this.atOnce += 1;
    this.atOnceMax = Math.max(this.atOnce, this.atOnceMax);
    await this.#clock.sleep(this.takesMs, signal);
    this.atOnce -= 1;
    return this.answer(this.askedAtMs.length);
  }
}

function harness(t: TestContext, count: number, everyMs = 60_000) {
  const clock = new VirtualClock();
  const log = new RecordingLogger();
  const sensors = Array.from({ length: count }, (_, index) => new Scripted(clock, `own${index}`, everyMs));
  const pollers = new Pollers(sensors, { clock, log });
  let stop = new AbortController();
  let kept = Promise.resolve();
  const keep = () => {
    stop = new AbortController();
    kept = pollers.run(stop.signal);
  };
  const end = async () => {
    stop.abort();
    await kept;
  };
  t.after(end);
  keep();
  const [first] = sensors;
  assert.ok(first !== undefined);
  return { clock, log, sensors, first, pollers, keep, end };
}

it('each sensor is polled at once and then at its interval', async (t) => {
  const { clock, first, pollers } = harness(t, 1);
  assert.deepEqual(pollers.latest(), {});
  first.takesMs = SLOW_MS;
  await clock.advance(SLOW_MS);
  assert.deepEqual(pollers.latest(), { own0: 1 });
  await clock.advance(120_000);
  assert.deepEqual(first.askedAtMs, [0, 60_000, 120_000]);
});

it('a sensor slower than its interval is never polled twice at once', async (t) => {
  const { clock, first } = harness(t, 1, 1000);
  first.takesMs = 2500;
  await clock.advance(8000);
  assert.deepEqual(first.askedAtMs, [0, 2500, 5000, 7500]);
  assert.equal(first.atOnceMax, 1);
});

it('four sensors are polled at once, and the others wait', async (t) => {
  const { clock, sensors } = harness(t, 10);
  for (const sensor of sensors) sensor.takesMs = SLOW_MS;
  await clock.advance(SLOW_MS - 1);
  assert.equal(sensors.filter(({ atOnce }) => atOnce === 1).length, 4);
  await clock.advance(2 * SLOW_MS);
  assert.deepEqual(
    sensors.map(({ askedAtMs }) => askedAtMs[0]),
    [0, 0, 0, 0, SLOW_MS, SLOW_MS, SLOW_MS, SLOW_MS, 2 * SLOW_MS, 2 * SLOW_MS],
  );
});

it('a failed sensor is logged once, has no values and is retried up to hourly', async (t) => {
  const { clock, log, sensors, first, pollers } = harness(t, 2);
  await clock.advance(1);
  first.answer = () => ({ ok: false, problem: 'is not installed' });
  await clock.advance(60_000);
  assert.deepEqual(pollers.latest(), { own1: 2 });
  await clock.advance(6 * 3_600_000);
  const pauses = first.askedAtMs
    .slice(1)
    .map((atMs, index) => (atMs - (first.askedAtMs[index] ?? 0)) / 60_000);
  assert.deepEqual(pauses.slice(0, 9), [1, 1, 2, 4, 8, 16, 32, 60, 60]);
  assert.equal(sensors[1]?.askedAtMs.length, 6 * 60 + 2);
  assert.equal(log.logged.length, 1);
  assert.deepEqual(log.logged[0]?.fields, { sensor: 'own0', reason: 'is not installed' });
});

it('a recovered sensor is logged with its failures and polled at its interval', async (t) => {
  const { clock, log, first, pollers } = harness(t, 1);
  first.answer = (round) => (round < 3 ? { ok: false, problem: 'x' } : { ok: true, values: { own0: round } });
  await clock.advance(180_000);
  assert.deepEqual(first.askedAtMs, [0, 60_000, 180_000]);
  await clock.advance(60_000);
  assert.deepEqual(pollers.latest(), { own0: 4 });
  assert.deepEqual(log.logged.at(-1)?.fields, { sensor: 'own0', failures: 2 });
});

it('an unchanged problem of a value is logged once', async (t) => {
  const { clock, log, first } = harness(t, 1);
  const problems = ['a', 'a', 'b', undefined, 'a'];
  first.answer = (round) => ({ ok: true, values: {}, problem: problems[round - 1] });
  await clock.advance(4 * 60_000);
  assert.deepEqual(
    log.logged.map(({ fields }) => fields['reason']),
    ['a', 'b', 'a'],
  );
});

it('a value that is too old is absent', async (t) => {
  const { clock, pollers, end } = harness(t, 1);
  await clock.advance(1);
  await end();
  await clock.advance(130_000 - 1);
  assert.deepEqual(pollers.latest(), { own0: 1 });
  await clock.advance(1);
  assert.deepEqual(pollers.latest(), {});
});

it('an aborted read is no failure, and the previous values remain', async (t) => {
  const { clock, log, first, pollers, keep, end } = harness(t, 1);
  await clock.advance(1);
  first.takesMs = SLOW_MS;
  await clock.advance(60_500);
  await end();
  assert.deepEqual(pollers.latest(), { own0: 1 });
  keep();
  await clock.advance(SLOW_MS);
  assert.deepEqual(pollers.latest(), { own0: 3 });
  assert.deepEqual(log.logged, []);
});

it('of two sensors with one key the first counts', async (t) => {
  const { clock, sensors, pollers } = harness(t, 2);
  for (const [index, sensor] of sensors.entries())
    sensor.answer = () => ({ ok: true, values: { same: index } });
  await clock.advance(1);
  assert.deepEqual(pollers.latest(), { same: 0 });
});
