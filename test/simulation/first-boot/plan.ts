/**
 * The plan of one run, drawn from its seed before it begins: the weather on the road and at the server, the
 * ends of the gateway's lives, the server's restarts, and the hour at which everything is healed.
 *
 * Instants are drawn so that every order of magnitude is as likely as every other: most troubles of a first
 * boot happen in its first seconds, the others hours later.
 */

import type { Dice } from '../seeded-random.ts';

/** One direction of the road. Shares from 0 to 0.4. */
export interface Lane {
  readonly lostShare: number;
  readonly doubledShare: number;
  /** Held back long enough for later ones to overtake. */
  readonly lateShare: number;
  readonly lateMsMax: number;
  readonly delayMsMin: number;
  readonly delayMsMax: number;
}

export interface Weather {
  readonly up: Lane;
  readonly down: Lane;
  /**
   * `refused`: ICMP port unreachable. `unreachable`: no route from the gateway. `dark`: nothing passes,
   * nothing is said.
   */
  readonly link: 'open' | 'refused' | 'unreachable' | 'dark';
  readonly coreMsMin: number;
  readonly coreMsMax: number;
  /** Every request is answered 5.00 and not executed. */
  readonly broken: boolean;
  /** The operator has not enabled provisioning in the profile yet: NOT_FOUND. */
  readonly disabled: boolean;
  readonly diskFull: boolean;
  readonly diskStepMsMax: number;
}

/**
 * How a life of the gateway ends. `power`: the disk loses what was not durable. `kill`: the process only.
 * `stop`: as asked.
 */
export interface Ending {
  readonly how: 'power' | 'kill' | 'stop';
  /** After so long, or at the so-many-th thing the process does to the world outside its memory. */
  readonly after: { readonly ms: number } | { readonly acts: number; readonly before: boolean };
  readonly pauseMs: number;
}

export interface Plan {
  readonly weather: readonly { readonly atMs: number; readonly weather: Weather }[];
  readonly endings: readonly Ending[];
  readonly restarts: readonly { readonly atMs: number; readonly downMs: number }[];
  readonly healMs: number;
  readonly kindA: 'separate' | 'piggyback';
  readonly sampleEveryMs: number;
  readonly spreadMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const CALM_LANE: Lane = {
  lostShare: 0,
  doubledShare: 0,
  lateShare: 0,
  lateMsMax: 0,
  delayMsMin: 5,
  delayMsMax: 40,
};

export const CALM: Weather = {
  up: CALM_LANE,
  down: CALM_LANE,
  link: 'open',
  coreMsMin: 20,
  coreMsMax: 50,
  broken: false,
  disabled: false,
  diskFull: false,
  diskStepMsMax: 5,
};

export function drawPlan(dice: Dice): Plan {
  const healMs = dice.logBetween(10 * MINUTE, 6 * HOUR);
  const instant = () => dice.logBetween(100, healMs);
  const times = (most: number) =>
    Array.from({ length: dice.integer(0, most) }, instant).sort((a, b) => a - b);
  return {
    weather: [0, ...times(6)].map((atMs) => ({ atMs, weather: drawWeather(dice) })),
    endings: Array.from({ length: dice.integer(0, 6) }, () => drawEnding(dice)),
    restarts: times(2).map((atMs) => ({ atMs, downMs: dice.logBetween(100, 5 * MINUTE) })),
    healMs,
    kindA: dice.happens(0.8) ? 'separate' : 'piggyback',
    sampleEveryMs: dice.weighted([
      [1, MINUTE],
      [9, 10 * MINUTE],
    ]),
    spreadMs: dice.weighted([
      [1, 0],
      [1, 2 * SECOND],
      [1, 2 * MINUTE],
    ]),
  };
}

function drawWeather(dice: Dice): Weather {
  const [coreMsMin, coreMsMax] = dice.weighted([
    [60, [20, 50]],
    [25, [300, 900]],
    [10, [1_000, 9_000]],
    [5, [5_000, 15_000]],
  ] as const);
  return {
    up: drawLane(dice),
    down: drawLane(dice),
    link: dice.weighted([
      [80, 'open'],
      [7, 'refused'],
      [6, 'unreachable'],
      [7, 'dark'],
    ]),
    coreMsMin,
    coreMsMax,
    broken: dice.happens(0.05),
    disabled: dice.happens(0.03),
    diskFull: dice.happens(0.02),
    diskStepMsMax: dice.weighted([
      [8, 5],
      [2, 1_500],
    ]),
  };
}

function drawLane(dice: Dice): Lane {
  if (dice.happens(0.3)) return CALM_LANE;
  // One answer in fifty runs is lost for a whole phase, though requests arrive: the trap of contract 3.5.
  const isDeaf = dice.happens(0.02);
  return {
    lostShare: isDeaf ? 1 : dice.between(0, 0.4),
    doubledShare: dice.between(0, 0.4),
    lateShare: dice.between(0, 0.4),
    lateMsMax: dice.logBetween(50, 60 * SECOND),
    delayMsMin: dice.between(1, 100),
    delayMsMax: dice.logBetween(100, 3 * SECOND),
  };
}

function drawEnding(dice: Dice): Ending {
  return {
    how: dice.weighted([
      [70, 'power'],
      [20, 'kill'],
      [10, 'stop'],
    ]),
    after: dice.happens(0.5)
      ? { acts: dice.integer(1, 30), before: dice.happens(0.5) }
      : { ms: dice.logBetween(1, 30 * MINUTE) },
    pauseMs: dice.logBetween(50, HOUR),
  };
}
