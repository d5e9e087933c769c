/**
 * The plan of one run, drawn from its seed before it begins: the weather on the road and at the server, the
 * ends of the gateway's lives, the server's restarts, and the hour at which everything is healed.
 *
 * Instants are drawn so that every order of magnitude is as likely as every other: most troubles of a first
 * boot happen in its first seconds, the others hours later.
 */

import type { SeededRandom } from '../seeded-random.ts';

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

const NO_LOSS: Lane = {
  lostShare: 0,
  doubledShare: 0,
  lateShare: 0,
  lateMsMax: 0,
  delayMsMin: 5,
  delayMsMax: 40,
};

export const NO_FAULTS: Weather = {
  up: NO_LOSS,
  down: NO_LOSS,
  link: 'open',
  coreMsMin: 20,
  coreMsMax: 50,
  broken: false,
  disabled: false,
  diskFull: false,
  diskStepMsMax: 5,
};

export function drawPlan(rng: SeededRandom): Plan {
  const healMs = rng.logBetween(10 * MINUTE, 6 * HOUR);
  const instant = () => rng.logBetween(100, healMs);
  const times = (most: number) => Array.from({ length: rng.integer(0, most) }, instant).sort((a, b) => a - b);
  return {
    weather: [0, ...times(6)].map((atMs) => ({ atMs, weather: drawWeather(rng) })),
    endings: Array.from({ length: rng.integer(0, 6) }, () => drawEnding(rng)),
    restarts: times(2).map((atMs) => ({ atMs, downMs: rng.logBetween(100, 5 * MINUTE) })),
    healMs,
    kindA: rng.isTrue(0.8) ? 'separate' : 'piggyback',
    sampleEveryMs: rng.weighted([
      [1, MINUTE],
      [9, 10 * MINUTE],
    ]),
    spreadMs: rng.weighted([
      [1, 0],
      [1, 2 * SECOND],
      [1, 2 * MINUTE],
    ]),
  };
}

function drawWeather(rng: SeededRandom): Weather {
  const [coreMsMin, coreMsMax] = rng.weighted([
    [60, [20, 50]],
    [25, [300, 900]],
    [10, [1_000, 9_000]],
    [5, [5_000, 15_000]],
  ] as const);
  return {
    up: drawLane(rng),
    down: drawLane(rng),
    link: rng.weighted([
      [80, 'open'],
      [7, 'refused'],
      [6, 'unreachable'],
      [7, 'dark'],
    ]),
    coreMsMin,
    coreMsMax,
    broken: rng.isTrue(0.05),
    disabled: rng.isTrue(0.03),
    diskFull: rng.isTrue(0.02),
    diskStepMsMax: rng.weighted([
      [8, 5],
      [2, 1_500],
    ]),
  };
}

function drawLane(rng: SeededRandom): Lane {
  if (rng.isTrue(0.3)) return NO_LOSS;
  // One answer in fifty runs is lost for a whole phase, though requests arrive: the trap of contract 3.5.
  const isUnreachable = rng.isTrue(0.02);
  return {
    lostShare: isUnreachable ? 1 : rng.between(0, 0.4),
    doubledShare: rng.between(0, 0.4),
    lateShare: rng.between(0, 0.4),
    lateMsMax: rng.logBetween(50, 60 * SECOND),
    delayMsMin: rng.between(1, 100),
    delayMsMax: rng.logBetween(100, 3 * SECOND),
  };
}

function drawEnding(rng: SeededRandom): Ending {
  return {
    how: rng.weighted([
      [70, 'power'],
      [20, 'kill'],
      [10, 'stop'],
    ]),
    after: rng.isTrue(0.5)
      ? { acts: rng.integer(1, 30), before: rng.isTrue(0.5) }
      : { ms: rng.logBetween(1, 30 * MINUTE) },
    pauseMs: rng.logBetween(50, HOUR),
  };
}
