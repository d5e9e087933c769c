/** Draws the plan of the weeks of one gateway from its random generator, before they begin. */

import { drawDownlink } from '../../downlink/draw-downlink.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import {
  type Conditions,
  DAY,
  type DiskFault,
  type DiskHealth,
  type DiskPhase,
  DRIFT_MAX,
  type Ending,
  HOUR,
  MINUTE,
  NO_FAULTS,
  type Poison,
  SECOND,
  type ServerState,
  type WeekPlan,
  type WeekSettings,
} from './week-plan.ts';

export function drawPlan(random: SeededRandom, days: number): WeekPlan {
  const untilMs = days * DAY;
  return {
    untilMs,
    conditions: drawConditions(random.fork(), untilMs),
    disk: drawDisk(random.fork(), untilMs),
    diskStepMsMax: random.weighted([
      [8, 20],
      [2, 1_000],
    ]),
    endings: Array.from({ length: random.integer(0, 2 * days) }, () => drawEnding(random)),
    poisons: drawPoisons(random.fork(), untilMs),
    drift: random.between(-DRIFT_MAX, DRIFT_MAX),
    limitPerMinute: random.integer(20, 200),
    settings: drawSettings(random.fork()),
    hasRuntimeDirectory: random.isTrue(0.5),
    downlink: drawDownlink(random.fork(), untilMs, { pauseMsMax: 6 * HOUR, intervals: ['30s', '2m'] }),
  };
}

function drawSettings(random: SeededRandom): WeekSettings {
  const pause = () =>
    random.weighted([
      [6, MINUTE],
      [1, 5 * SECOND],
      [1, 15 * SECOND],
      [1, 5 * MINUTE],
      [1, HOUR],
    ]);
  const memoryBytesMax = random.isTrue(0.2) ? { memoryBytesMax: random.integer(5_000, 60_000) } : {};
  return {
    sampleEveryMs: MINUTE,
    spreadMs: random.weighted([
      [1, 0],
      [2, 2 * MINUTE],
    ]),
    drainPerS: random.weighted([
      [3, 10],
      [1, 1],
      [1, 50],
    ]),
    spoolAfterMs: pause(),
    flushEveryMs: pause(),
    // The smallest bound that the agent accepts holds some 900 readings.
    spoolBytesMax: random.isTrue(0.3) ? random.integer(130_000, 500_000) : 64_000_000,
    ...memoryBytesMax,
    freeShare: 0.1,
    trust: random.isTrue(0.05) ? 'system' : 'synchronised',
  };
}

function drawConditions(random: SeededRandom, untilMs: number): Conditions[] {
  const phases: Conditions[] = [];
  for (let atMs = 0; atMs < untilMs; ) {
    phases.push({ atMs, ...drawNetwork(random), serverState: 'reachable' });
    atMs += random.logBetween(20 * MINUTE, 60 * HOUR);
    phases.push({ atMs, ...drawNetwork(random), serverState: drawServerState(random) });
    atMs += random.isTrue(0.8)
      ? random.logBetween(2 * MINUTE, 6 * HOUR)
      : random.logBetween(6 * HOUR, 3 * DAY);
  }
  return phases.filter(({ atMs }) => atMs < untilMs);
}

function drawNetwork(random: SeededRandom): Omit<Conditions, 'atMs' | 'serverState'> {
  if (random.isTrue(0.4)) return NO_FAULTS;
  return {
    lostShare: random.between(0, 0.3),
    delayMsMin: random.between(1, 100),
    delayMsMax: random.logBetween(100, 4 * SECOND),
  };
}

function drawServerState(random: SeededRandom): ServerState {
  return random.weighted([
    [3, 'closed'],
    [2, 'no-route'],
    [3, 'dark'],
    [2, 'overloaded'],
    [1, 'limited'],
  ]);
}

function drawDisk(random: SeededRandom, untilMs: number): DiskPhase[] {
  const phases: DiskPhase[] = [{ atMs: 0, health: 'healthy' }];
  if (random.isTrue(0.5)) return phases;
  for (
    let atMs = random.logBetween(HOUR, 3 * DAY);
    atMs < untilMs;
    atMs += random.logBetween(HOUR, 3 * DAY)
  ) {
    const health = random.weighted<DiskHealth>([
      [2, 'full'],
      [1, 'read-only'],
      [1, 'io'],
      [2, 'low'],
    ]);
    phases.push({ atMs, health });
    atMs += random.logBetween(5 * MINUTE, DAY);
    phases.push({ atMs, health: 'healthy' });
  }
  return phases.filter(({ atMs }) => atMs < untilMs);
}

/**
 * An agent that is killed within an hour each time, a dozen times in each boot and mostly while it sends:
 * bugs that need two processes in one boot with the same readings are rare with the drawn endings.
 */
export const OFTEN_KILLED: readonly Ending[] = Array.from({ length: 40 }, () => {
  const within = { afterMs: HOUR, pauseMs: 5 * SECOND };
  const kills = Array.from({ length: 12 }, (_, index) => ({
    ...within,
    kind: 'kill' as const,
    act: { of: 'network' as const, count: index + 2, before: false },
  }));
  return [...kills, { ...within, kind: 'power' as const }];
}).flat();

/**
 * A disk that has one fault half of the time. Two processes of one boot date a reading differently only if it waits on the disk
 * without a timestamp, and the first of them cannot store the boot offset there.
 */
export function oftenFaulty(untilMs: number, fault: DiskFault): readonly DiskPhase[] {
  const phases = Math.floor(untilMs / FAULT_MS);
  return Array.from({ length: phases }, (_, index) => ({
    atMs: index * FAULT_MS,
    health: index % 2 === 0 ? 'healthy' : fault,
  }));
}

const FAULT_MS = 25 * MINUTE;

function drawEnding(random: SeededRandom): Ending {
  const act = {
    of: random.weighted([
      [16, 'disk'],
      [2, 'network'],
      [2, 'downlink'],
    ] as const),
    count: Math.floor(random.logBetween(1, 3_000)),
    before: random.isTrue(0.5),
  };
  return {
    kind: random.weighted([
      [60, 'power'],
      [20, 'kill'],
      [20, 'stop'],
    ]),
    afterMs: random.logBetween(MINUTE, 3 * DAY),
    ...(random.isTrue(0.6) && { act }),
    // No host boots faster.
    pauseMs: random.isTrue(0.05) ? random.logBetween(HOUR, 12 * HOUR) : random.logBetween(5 * SECOND, HOUR),
  };
}

function drawPoisons(random: SeededRandom, untilMs: number): Map<number, Poison> {
  const poisons = new Map<number, Poison>();
  const samples = Math.floor(untilMs / MINUTE);
  for (let left = random.integer(0, 4); left > 0; left -= 1) {
    poisons.set(random.integer(1, samples), random.isTrue(0.6) ? 'malformed' : 'refused');
  }
  return poisons;
}
