/**
 * The results of many first boots of one strategy: counts, times, causes, and the first seeds that failed.
 */

import { firstBoot } from './first-boot.ts';
import type { Outcome } from './outcome.ts';
import type { Plant } from './planted-bugs.ts';
import type { Cause } from './stranding-cause.ts';
import type { StrategyName } from './strategies.ts';

/** Failed boots that are kept with their outcome; further ones are only counted. */
const FAILED_KEPT_MAX = 5;

export interface Campaign {
  readonly strategy: StrategyName;
  readonly boots: number;
  /** Seed of the first boot; the others follow. */
  readonly seed: number;
  readonly plant?: Plant | undefined;
}

export interface CampaignSummary {
  readonly strategy: StrategyName;
  boots: number;
  provisioned: number;
  duplicateDevices: number;
  stranded: number;
  /** Boots with a broken promise. */
  failed: number;
  readonly causes: Map<Cause, { count: number; readonly firstSeed: number }>;
  readonly firstFailed: Outcome[];
  readonly provisionedMs: number[];
  readonly exposedMs: number[];
}

export async function runCampaign(
  campaign: Campaign,
  progress: (done: number) => void = () => {},
): Promise<CampaignSummary> {
  const { strategy, plant } = campaign;
  const summary: CampaignSummary = {
    strategy,
    boots: 0,
    provisioned: 0,
    duplicateDevices: 0,
    stranded: 0,
    failed: 0,
    causes: new Map(),
    firstFailed: [],
    provisionedMs: [],
    exposedMs: [],
  };
  for (let done = 0; done < campaign.boots; done += 1) {
    addOutcome(summary, await firstBoot({ seed: campaign.seed + done, strategy, plant }));
    progress(done + 1);
  }
  return summary;
}

function addOutcome(summary: CampaignSummary, outcome: Outcome): void {
  summary.boots += 1;
  if (outcome.result === 'provisioned') summary.provisioned += 1;
  else summary.stranded += 1;
  summary.duplicateDevices += Math.max(0, outcome.devices - 1);
  if (outcome.provisionedMs !== undefined) summary.provisionedMs.push(outcome.provisionedMs);
  if (outcome.exposedMs !== undefined) summary.exposedMs.push(outcome.exposedMs);
  if (outcome.broken.length > 0) {
    summary.failed += 1;
    if (summary.firstFailed.length < FAILED_KEPT_MAX) summary.firstFailed.push(outcome);
  }
  if (outcome.cause === undefined) return;
  const existing = summary.causes.get(outcome.cause);
  if (existing) existing.count += 1;
  else summary.causes.set(outcome.cause, { count: 1, firstSeed: outcome.seed });
}
