/**
 * What came of many first boots of one strategy: counts, times, causes, and the first seeds to look at.
 */

import { firstBoot } from './first-boot.ts';
import type { Outcome } from './outcome.ts';
import type { Plant } from './planted-bugs.ts';
import type { Cause } from './stranding.ts';
import type { StrategyName } from './strategies.ts';

/** Broken promises kept with their seeds; more only count. */
const KEPT_MAX = 5;

export interface Campaign {
  readonly strategy: StrategyName;
  readonly boots: number;
  /** Seed of the first boot; the others follow. */
  readonly seed: number;
  readonly plant?: Plant | undefined;
}

export interface Tally {
  readonly strategy: StrategyName;
  boots: number;
  provisioned: number;
  duplicateDevices: number;
  stranded: number;
  /** Boots with a broken promise. */
  red: number;
  readonly causes: Map<Cause, { count: number; readonly firstSeed: number }>;
  readonly firstRed: Outcome[];
  readonly provisionedMs: number[];
  readonly exposedMs: number[];
}

export async function tally(campaign: Campaign, progress: (done: number) => void = () => {}): Promise<Tally> {
  const { strategy, plant } = campaign;
  const sum: Tally = {
    strategy,
    boots: 0,
    provisioned: 0,
    duplicateDevices: 0,
    stranded: 0,
    red: 0,
    causes: new Map(),
    firstRed: [],
    provisionedMs: [],
    exposedMs: [],
  };
  for (let done = 0; done < campaign.boots; done += 1) {
    add(sum, await firstBoot({ seed: campaign.seed + done, strategy, plant }));
    progress(done + 1);
  }
  return sum;
}

function add(sum: Tally, outcome: Outcome): void {
  sum.boots += 1;
  if (outcome.result === 'provisioned') sum.provisioned += 1;
  else sum.stranded += 1;
  sum.duplicateDevices += Math.max(0, outcome.devices - 1);
  if (outcome.provisionedMs !== undefined) sum.provisionedMs.push(outcome.provisionedMs);
  if (outcome.exposedMs !== undefined) sum.exposedMs.push(outcome.exposedMs);
  if (outcome.broken.length > 0) {
    sum.red += 1;
    if (sum.firstRed.length < KEPT_MAX) sum.firstRed.push(outcome);
  }
  if (outcome.cause === undefined) return;
  const known = sum.causes.get(outcome.cause);
  if (known) known.count += 1;
  else sum.causes.set(outcome.cause, { count: 1, firstSeed: outcome.seed });
}
