/**
 * Draws the plan of one gateway's weeks from the dice, before they begin.
 */

import type { SeededRandom } from '../../seeded-random.ts';
import {
  DAY,
  type DiskHealth,
  type DiskPhase,
  DRIFT_MAX,
  type Ending,
  HOUR,
  MINUTE,
  NO_FAULTS,
  type Poison,
  SECOND,
  type ServerConditions,
  type Weather,
  type WeekPlan,
  type WeekSettings,
} from './week-plan.ts';

export function drawPlan(rng: SeededRandom, days: number): WeekPlan {
  const untilMs = days * DAY;
  return {
    untilMs,
    weather: drawWeather(rng.fork(), untilMs),
    disk: drawDisk(rng.fork(), untilMs),
    diskStepMsMax: rng.weighted([
      [8, 20],
      [2, 1_000],
    ]),
    endings: Array.from({ length: rng.integer(0, 2 * days) }, () => drawEnding(rng)),
    poisons: drawPoisons(rng.fork(), untilMs),
    drift: rng.between(-DRIFT_MAX, DRIFT_MAX),
    limitPerMinute: rng.integer(20, 200),
    settings: drawSettings(rng.fork()),
    hasRuntimeDirectory: rng.isTrue(0.5),
  };
}

function drawSettings(rng: SeededRandom): WeekSettings {
  const pause = () =>
    rng.weighted([
      [6, MINUTE],
      [1, 5 * SECOND],
      [1, 15 * SECOND],
      [1, 5 * MINUTE],
      [1, HOUR],
    ]);
  const memoryBytesMax = rng.isTrue(0.2) ? { memoryBytesMax: rng.integer(5_000, 60_000) } : {};
  return {
    sampleEveryMs: MINUTE,
    spreadMs: rng.weighted([
      [1, 0],
      [2, 2 * MINUTE],
    ]),
    drainPerS: rng.weighted([
      [3, 10],
      [1, 1],
      [1, 50],
    ]),
    spoolAfterMs: pause(),
    flushEveryMs: pause(),
    // The least the agent takes holds some 900 readings.
    spoolBytesMax: rng.isTrue(0.3) ? rng.integer(130_000, 500_000) : 64_000_000,
    ...memoryBytesMax,
    freeShare: 0.1,
    trust: rng.isTrue(0.05) ? 'system' : 'synchronised',
  };
}

function drawWeather(rng: SeededRandom, untilMs: number): Weather[] {
  const phases: Weather[] = [];
  for (let atMs = 0; atMs < untilMs; ) {
    phases.push({ atMs, ...drawNetwork(rng), sky: 'clear' });
    atMs += rng.logBetween(20 * MINUTE, 60 * HOUR);
    phases.push({ atMs, ...drawNetwork(rng), sky: drawServerConditions(rng) });
    atMs += rng.isTrue(0.8) ? rng.logBetween(2 * MINUTE, 6 * HOUR) : rng.logBetween(6 * HOUR, 3 * DAY);
  }
  return phases.filter(({ atMs }) => atMs < untilMs);
}

function drawNetwork(rng: SeededRandom): Omit<Weather, 'atMs' | 'sky'> {
  if (rng.isTrue(0.4)) return NO_FAULTS;
  return {
    lostShare: rng.between(0, 0.3),
    delayMsMin: rng.between(1, 100),
    delayMsMax: rng.logBetween(100, 4 * SECOND),
  };
}

function drawServerConditions(rng: SeededRandom): ServerConditions {
  return rng.weighted([
    [3, 'away'],
    [2, 'no-route'],
    [3, 'dark'],
    [2, 'overloaded'],
    [1, 'limited'],
  ]);
}

function drawDisk(rng: SeededRandom, untilMs: number): DiskPhase[] {
  const phases: DiskPhase[] = [{ atMs: 0, health: 'well' }];
  if (rng.isTrue(0.5)) return phases;
  for (let atMs = rng.logBetween(HOUR, 3 * DAY); atMs < untilMs; atMs += rng.logBetween(HOUR, 3 * DAY)) {
    const health = rng.weighted<DiskHealth>([
      [2, 'full'],
      [1, 'read-only'],
      [1, 'io'],
      [2, 'low'],
    ]);
    phases.push({ atMs, health });
    atMs += rng.logBetween(5 * MINUTE, DAY);
    phases.push({ atMs, health: 'well' });
  }
  return phases.filter(({ atMs }) => atMs < untilMs);
}

/**
 * Of a gateway that dies within an hour each time, a dozen times in each boot and mostly while it sends: what takes two processes of one
 * boot and the same readings is rare in the endings as they are drawn.
 */
export const OFTEN_KILLED: readonly Ending[] = Array.from({ length: 40 }, () => {
  const within = { afterMs: HOUR, pauseMs: 5 * SECOND };
  const kills = Array.from({ length: 12 }, (_, index) => ({
    ...within,
    how: 'kill' as const,
    act: { of: 'road' as const, count: index + 2, before: false },
  }));
  return [...kills, { ...within, how: 'power' as const }];
}).flat();

function drawEnding(rng: SeededRandom): Ending {
  const act = {
    of: rng.isTrue(0.8) ? ('disk' as const) : ('road' as const),
    count: Math.floor(rng.logBetween(1, 3_000)),
    before: rng.isTrue(0.5),
  };
  return {
    how: rng.weighted([
      [60, 'power'],
      [20, 'kill'],
      [20, 'stop'],
    ]),
    afterMs: rng.logBetween(MINUTE, 3 * DAY),
    ...(rng.isTrue(0.6) && { act }),
    // No host is back sooner.
    pauseMs: rng.isTrue(0.05) ? rng.logBetween(HOUR, 12 * HOUR) : rng.logBetween(5 * SECOND, HOUR),
  };
}

function drawPoisons(rng: SeededRandom, untilMs: number): Map<number, Poison> {
  const poisons = new Map<number, Poison>();
  const samples = Math.floor(untilMs / MINUTE);
  for (let left = rng.integer(0, 4); left > 0; left -= 1) {
    poisons.set(rng.integer(1, samples), rng.isTrue(0.6) ? 'malformed' : 'refused');
  }
  return poisons;
}
