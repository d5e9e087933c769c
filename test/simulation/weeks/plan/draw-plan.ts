/**
 * Draws the plan of one gateway's weeks from the dice, before they begin.
 */

import type { Dice } from '../../seeded-random.ts';
import {
  CALM,
  DAY,
  type DiskHealth,
  type DiskPhase,
  DRIFT_MAX,
  type Ending,
  HOUR,
  MINUTE,
  type Poison,
  SECOND,
  type Sky,
  type Weather,
  type WeekPlan,
  type WeekSettings,
} from './week-plan.ts';

export function drawPlan(dice: Dice, days: number): WeekPlan {
  const untilMs = days * DAY;
  return {
    untilMs,
    weather: drawWeather(dice.fork(), untilMs),
    disk: drawDisk(dice.fork(), untilMs),
    diskStepMsMax: dice.weighted([
      [8, 20],
      [2, 1_000],
    ]),
    endings: Array.from({ length: dice.integer(0, 2 * days) }, () => drawEnding(dice)),
    poisons: drawPoisons(dice.fork(), untilMs),
    drift: dice.between(-DRIFT_MAX, DRIFT_MAX),
    limitPerMinute: dice.integer(20, 200),
    settings: drawSettings(dice.fork()),
    hasRuntimeDirectory: dice.happens(0.5),
  };
}

function drawSettings(dice: Dice): WeekSettings {
  const pause = () =>
    dice.weighted([
      [6, MINUTE],
      [1, 5 * SECOND],
      [1, 15 * SECOND],
      [1, 5 * MINUTE],
      [1, HOUR],
    ]);
  const memoryBytesMax = dice.happens(0.2) ? { memoryBytesMax: dice.integer(5_000, 60_000) } : {};
  return {
    sampleEveryMs: MINUTE,
    spreadMs: dice.weighted([
      [1, 0],
      [2, 2 * MINUTE],
    ]),
    drainPerS: dice.weighted([
      [3, 10],
      [1, 1],
      [1, 50],
    ]),
    spoolAfterMs: pause(),
    flushEveryMs: pause(),
    // The least the agent takes holds some 900 readings.
    spoolBytesMax: dice.happens(0.3) ? dice.integer(130_000, 500_000) : 64_000_000,
    ...memoryBytesMax,
    freeShare: 0.1,
    trust: dice.happens(0.05) ? 'system' : 'synchronised',
  };
}

function drawWeather(dice: Dice, untilMs: number): Weather[] {
  const phases: Weather[] = [];
  for (let atMs = 0; atMs < untilMs; ) {
    phases.push({ atMs, ...drawRoad(dice), sky: 'clear' });
    atMs += dice.logBetween(20 * MINUTE, 60 * HOUR);
    phases.push({ atMs, ...drawRoad(dice), sky: drawSky(dice) });
    atMs += dice.happens(0.8) ? dice.logBetween(2 * MINUTE, 6 * HOUR) : dice.logBetween(6 * HOUR, 3 * DAY);
  }
  return phases.filter(({ atMs }) => atMs < untilMs);
}

function drawRoad(dice: Dice): Omit<Weather, 'atMs' | 'sky'> {
  if (dice.happens(0.4)) return CALM;
  return {
    lostShare: dice.between(0, 0.3),
    delayMsMin: dice.between(1, 100),
    delayMsMax: dice.logBetween(100, 4 * SECOND),
  };
}

function drawSky(dice: Dice): Sky {
  return dice.weighted([
    [3, 'away'],
    [2, 'no-route'],
    [3, 'dark'],
    [2, 'overloaded'],
    [1, 'limited'],
  ]);
}

function drawDisk(dice: Dice, untilMs: number): DiskPhase[] {
  const phases: DiskPhase[] = [{ atMs: 0, health: 'well' }];
  if (dice.happens(0.5)) return phases;
  for (let atMs = dice.logBetween(HOUR, 3 * DAY); atMs < untilMs; atMs += dice.logBetween(HOUR, 3 * DAY)) {
    const health = dice.weighted<DiskHealth>([
      [2, 'full'],
      [1, 'read-only'],
      [1, 'io'],
      [2, 'low'],
    ]);
    phases.push({ atMs, health });
    atMs += dice.logBetween(5 * MINUTE, DAY);
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

function drawEnding(dice: Dice): Ending {
  const act = {
    of: dice.happens(0.8) ? ('disk' as const) : ('road' as const),
    count: Math.floor(dice.logBetween(1, 3_000)),
    before: dice.happens(0.5),
  };
  return {
    how: dice.weighted([
      [60, 'power'],
      [20, 'kill'],
      [20, 'stop'],
    ]),
    afterMs: dice.logBetween(MINUTE, 3 * DAY),
    ...(dice.happens(0.6) && { act }),
    // No host is back sooner.
    pauseMs: dice.happens(0.05) ? dice.logBetween(HOUR, 12 * HOUR) : dice.logBetween(5 * SECOND, HOUR),
  };
}

function drawPoisons(dice: Dice, untilMs: number): Map<number, Poison> {
  const poisons = new Map<number, Poison>();
  const samples = Math.floor(untilMs / MINUTE);
  for (let left = dice.integer(0, 4); left > 0; left -= 1) {
    poisons.set(dice.integer(1, samples), dice.happens(0.6) ? 'malformed' : 'refused');
  }
  return poisons;
}
