/**
 * The plan of one run, drawn from its seed before it begins: the conditions of network and server, the
 * endings of the processes of the gateway, the restarts of the server, and the time at which all faults end.
 *
 * Times are log-uniform: most faults of a first boot happen in its first seconds, the others hours later.
 */

import { type DownlinkAction, drawDownlink } from '../downlink/draw-downlink.ts';
import type { SeededRandom } from '../seeded-random.ts';

/** One direction of the network. Shares from 0 to 0.4, or 1. */
export interface PathConditions {
  readonly lostShare: number;
  readonly doubledShare: number;
  /** Delayed long enough for later datagrams to overtake. */
  readonly lateShare: number;
  readonly lateMsMax: number;
  readonly delayMsMin: number;
  readonly delayMsMax: number;
}

export interface Conditions {
  readonly up: PathConditions;
  readonly down: PathConditions;
  /**
   * `refused`: ICMP port unreachable. `unreachable`: no route from the gateway. `dark`: datagrams are dropped
   * without an error.
   */
  readonly link: 'open' | 'refused' | 'unreachable' | 'dark';
  readonly coreMsMin: number;
  readonly coreMsMax: number;
  /** Every request is answered 5.00 and not executed. */
  readonly broken: boolean;
  /** Provisioning is not enabled in the profile yet: NOT_FOUND. */
  readonly disabled: boolean;
  readonly diskFull: boolean;
  readonly diskStepMsMax: number;
}

/**
 * How a process of the gateway ends. `power`: the disk loses data that was not durable. `kill`: only the
 * process dies. `stop`: the agent is asked to stop.
 */
export interface Ending {
  readonly kind: 'power' | 'kill' | 'stop';
  /** After a time, or at the n-th act of the process (simulated-process.ts). */
  readonly after: { readonly ms: number } | { readonly acts: number; readonly before: boolean };
  readonly pauseMs: number;
}

export interface Plan {
  readonly conditions: readonly { readonly atMs: number; readonly conditions: Conditions }[];
  readonly endings: readonly Ending[];
  readonly restarts: readonly { readonly atMs: number; readonly downMs: number }[];
  readonly faultsEndMs: number;
  readonly kindA: 'separate' | 'piggyback';
  readonly sampleEveryMs: number;
  readonly spreadMs: number;
  /** What the operator does with the server; undefined: the gateway listens to nothing. */
  readonly downlink: readonly DownlinkAction[] | undefined;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const NO_LOSS: PathConditions = {
  lostShare: 0,
  doubledShare: 0,
  lateShare: 0,
  lateMsMax: 0,
  delayMsMin: 5,
  delayMsMax: 40,
};

export const NO_FAULTS: Conditions = {
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

export function drawPlan(random: SeededRandom): Plan {
  const faultsEndMs = random.logBetween(10 * MINUTE, 6 * HOUR);
  const instant = () => random.logBetween(100, faultsEndMs);
  const times = (most: number) =>
    Array.from({ length: random.integer(0, most) }, instant).sort((a, b) => a - b);
  return {
    conditions: [0, ...times(6)].map((atMs) => ({ atMs, conditions: drawConditions(random) })),
    endings: Array.from({ length: random.integer(0, 6) }, () => drawEnding(random)),
    restarts: times(2).map((atMs) => ({ atMs, downMs: random.logBetween(100, 5 * MINUTE) })),
    faultsEndMs,
    kindA: random.isTrue(0.8) ? 'separate' : 'piggyback',
    sampleEveryMs: random.weighted([
      [1, MINUTE],
      [9, 10 * MINUTE],
    ]),
    spreadMs: random.weighted([
      [1, 0],
      [1, 2 * SECOND],
      [1, 2 * MINUTE],
    ]),
    downlink: drawBootDownlink(random.fork(), faultsEndMs),
  };
}

/** Listening for hours over the real transport costs more than the rest of a boot. */
const LISTENING_SHARE = 0.25;

function drawBootDownlink(random: SeededRandom, untilMs: number): Plan['downlink'] {
  if (!random.isTrue(LISTENING_SHARE)) return undefined;
  return drawDownlink(random, untilMs, { pauseMsMax: HOUR, intervals: ['4m', '8m'] });
}

function drawConditions(random: SeededRandom): Conditions {
  const [coreMsMin, coreMsMax] = random.weighted([
    [60, [20, 50]],
    [25, [300, 900]],
    [10, [1_000, 9_000]],
    [5, [5_000, 15_000]],
  ] as const);
  return {
    up: drawPath(random),
    down: drawPath(random),
    link: random.weighted([
      [80, 'open'],
      [7, 'refused'],
      [6, 'unreachable'],
      [7, 'dark'],
    ]),
    coreMsMin,
    coreMsMax,
    broken: random.isTrue(0.05),
    disabled: random.isTrue(0.03),
    diskFull: random.isTrue(0.02),
    diskStepMsMax: random.weighted([
      [8, 5],
      [2, 1_500],
    ]),
  };
}

function drawPath(random: SeededRandom): PathConditions {
  if (random.isTrue(0.3)) return NO_LOSS;
  // In one of fifty paths everything is lost for a whole phase, for example responses while requests arrive:
  // contract section 3.5.
  const isUnreachable = random.isTrue(0.02);
  return {
    lostShare: isUnreachable ? 1 : random.between(0, 0.4),
    doubledShare: random.between(0, 0.4),
    lateShare: random.between(0, 0.4),
    lateMsMax: random.logBetween(50, 60 * SECOND),
    delayMsMin: random.between(1, 100),
    delayMsMax: random.logBetween(100, 3 * SECOND),
  };
}

function drawEnding(random: SeededRandom): Ending {
  return {
    kind: random.weighted([
      [70, 'power'],
      [20, 'kill'],
      [10, 'stop'],
    ]),
    after: random.isTrue(0.5)
      ? { acts: random.integer(1, 30), before: random.isTrue(0.5) }
      : { ms: random.logBetween(1, 30 * MINUTE) },
    pauseMs: random.logBetween(50, HOUR),
  };
}
