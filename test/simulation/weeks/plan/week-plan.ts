/**
 * The plan of the weeks of one gateway: all faults, with their times and durations (draw-plan.ts draws it).
 * Times are ms since the first power-on. Values of each boot (its wall clock) are drawn at that boot.
 */

import type { AgentSettings } from '../../../../src/agent/agent.ts';
import type { DownlinkAction } from '../../downlink/draw-downlink.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/**
 * The responses of the server. `closed`: port unreachable. `dark`: datagrams are dropped without an error.
 * `overloaded`: 5.00 for all. `limited`: 5.00 beyond a number of messages a minute.
 */
export type ServerState = 'reachable' | 'closed' | 'no-route' | 'dark' | 'overloaded' | 'limited';

export interface Conditions {
  readonly atMs: number;
  readonly serverState: ServerState;
  /** Probability for one datagram in one direction. */
  readonly lostShare: number;
  readonly delayMsMin: number;
  readonly delayMsMax: number;
}

/** `low`: 5 % is free. `full`, `read-only`, `io`: ENOSPC, EROFS, EIO. */
export const DISK_FAULTS = ['low', 'full', 'read-only', 'io'] as const;
export type DiskFault = (typeof DISK_FAULTS)[number];
export type DiskHealth = 'healthy' | DiskFault;

export interface DiskPhase {
  readonly atMs: number;
  readonly health: DiskHealth;
}

/**
 * `power`: the disk loses data that was not durable. `kill`: only the process dies. `stop`: the agent is
 * asked to stop.
 */
export interface Ending {
  readonly kind: 'power' | 'kill' | 'stop';
  /** At the latest, ms after the start. */
  readonly afterMs: number;
  /** Earlier, at the n-th act on the disk or the network, just before or just after it. */
  readonly act?: {
    readonly of: 'disk' | 'network' | 'downlink';
    readonly count: number;
    readonly before: boolean;
  };
  readonly pauseMs: number;
}

export type Poison = 'malformed' | 'refused';

export interface WeekPlan {
  readonly untilMs: number;
  readonly conditions: readonly Conditions[];
  readonly disk: readonly DiskPhase[];
  /** The longest duration of one operation on the disk, ms. */
  readonly diskStepMsMax: number;
  readonly endings: readonly Ending[];
  /** By the number of the sample. */
  readonly poisons: ReadonlyMap<number, Poison>;
  /** The relative error of the oscillator. */
  readonly drift: number;
  /** The clock state is kept for the next process of the same boot. */
  readonly hasRuntimeDirectory: boolean;
  readonly limitPerMinute: number;
  readonly settings: WeekSettings;
  /** What the operator does with the server; undefined: the gateway listens to nothing. */
  readonly downlink: readonly DownlinkAction[] | undefined;
}

export interface WeekSettings extends Pick<AgentSettings, 'spreadMs' | 'sampleEveryMs' | 'drainPerS'> {
  readonly spoolAfterMs: number;
  readonly flushEveryMs: number;
  readonly spoolBytesMax: number;
  readonly memoryBytesMax?: number;
  readonly freeShare: number;
  readonly trust: 'synchronised' | 'system';
}

/** The size of the disk; its health determines the free part. */
export const DISK_BYTES = 8_000_000_000;
export const DRIFT_MAX = 30e-6;

export const NO_FAULTS: Omit<Conditions, 'atMs'> = {
  serverState: 'reachable',
  lostShare: 0,
  delayMsMin: 5,
  delayMsMax: 40,
};
