/**
 * The plan of one gateway's weeks: everything that will go wrong, when, and for how long (draw-plan.ts draws it).
 *
 * Times are ms since the first power-on. What depends on how often the gateway boots (its wall clock) is drawn at each boot.
 */

import type { AgentSettings } from '../../../../src/agent/agent.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/**
 * Whether the server answers. `away`: port unreachable. `dark`: nothing passes, nothing is said. `overloaded`: 5.00 for all.
 * `limited`: 5.00 beyond so many messages a minute.
 */
export type ServerConditions = 'clear' | 'away' | 'no-route' | 'dark' | 'overloaded' | 'limited';

export interface Weather {
  readonly atMs: number;
  readonly sky: ServerConditions;
  /** Of one datagram in one direction. */
  readonly lostShare: number;
  readonly delayMsMin: number;
  readonly delayMsMax: number;
}

/** `low`: hardly any space is free. `full`, `read-only`, `io`: ENOSPC, EROFS, EIO. */
export type DiskHealth = 'well' | 'low' | 'full' | 'read-only' | 'io';

export interface DiskPhase {
  readonly atMs: number;
  readonly health: DiskHealth;
}

/** `power`: the disk loses what was not durable. `kill`: the process only. `stop`: as asked. */
export interface Ending {
  readonly how: 'power' | 'kill' | 'stop';
  /** At the latest, after so long. */
  readonly afterMs: number;
  /** Sooner, at the so-many-th act on the disk or the road, just before it or just after. */
  readonly act?: { readonly of: 'disk' | 'road'; readonly count: number; readonly before: boolean };
  readonly pauseMs: number;
}

export type Poison = 'malformed' | 'refused';

export interface WeekPlan {
  readonly untilMs: number;
  readonly weather: readonly Weather[];
  readonly disk: readonly DiskPhase[];
  /** Longest time of one operation on the disk, ms. */
  readonly diskStepMsMax: number;
  readonly endings: readonly Ending[];
  /** By the number of the sample. */
  readonly poisons: ReadonlyMap<number, Poison>;
  /** Of the oscillator, parts of one. */
  readonly drift: number;
  /** What processes of one boot tell each other of its clock outlives them. */
  readonly hasRuntimeDirectory: boolean;
  readonly limitPerMinute: number;
  readonly settings: WeekSettings;
}

export interface WeekSettings extends Pick<AgentSettings, 'spreadMs' | 'sampleEveryMs' | 'drainPerS'> {
  readonly spoolAfterMs: number;
  readonly flushEveryMs: number;
  readonly spoolBytesMax: number;
  readonly memoryBytesMax?: number;
  readonly freeShare: number;
  readonly trust: 'synchronised' | 'system';
}

/** The whole disk; what is free of it follows from its health. */
export const DISK_BYTES = 8_000_000_000;
export const DRIFT_MAX = 30e-6;

export const NO_FAULTS: Omit<Weather, 'atMs'> = { sky: 'clear', lostShare: 0, delayMsMin: 5, delayMsMax: 40 };
