/**
 * The weeks of many gateways, on every core: each of N workers simulates every N-th gateway, so that the
 * distribution does not change the results.
 */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { oneWeek } from './one-week.ts';
import type { DiskFault } from './plan/week-plan.ts';
import type { WeekPlant } from './planted-bugs.ts';
import { addOutcome, emptySummary, join, type WeeksSummary } from './summary.ts';

export interface Campaign {
  readonly gateways: number;
  readonly days: number;
  /** Of the first gateway, the others follow. */
  readonly seed: number;
  readonly plant?: WeekPlant | undefined;
  /** Each agent is killed a dozen times in each boot. */
  readonly oftenKilled?: boolean | undefined;
  /** Each disk has this fault half of the time. */
  readonly diskFault?: DiskFault | undefined;
  /** Number of trace lines of a gateway with a broken promise. */
  readonly traceMax?: number;
}

export interface Share extends Campaign {
  /** The number of this worker, from 0. */
  readonly worker: number;
  readonly workers: number;
}

const YOUNG_MB = 64;

/** A worker reports its progress, and at the end the summary of its share. */
export type WorkerMessage = { readonly done: number } | { readonly summary: WeeksSummary };

/** Simulates the gateways of one share, one after another. */
export async function simulateShare(share: Share, progress: () => void = () => {}): Promise<WeeksSummary> {
  const { gateways, worker, workers, seed, ...options } = share;
  const summary = emptySummary();
  for (let gateway = worker; gateway < gateways; gateway += workers) {
    addOutcome(summary, await oneWeek({ ...options, seed: seed + gateway }));
    progress();
  }
  return summary;
}

/** Simulates on all cores; `progress` gets the number of completed gateways. */
export async function simulateWeeks(
  campaign: Campaign,
  progress: (done: number) => void = () => {},
): Promise<WeeksSummary> {
  const workers = Math.max(1, Math.min(availableParallelism(), campaign.gateways));
  let done = 0;
  const summaries = await Promise.all(
    Array.from({ length: workers }, (_, worker) =>
      inWorker({ ...campaign, worker, workers }, () => {
        done += 1;
        progress(done);
      }),
    ),
  );
  const sum = emptySummary();
  for (const summary of summaries) join(sum, summary);
  return sum;
}

function inWorker(share: Share, progress: () => void): Promise<WeeksSummary> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: share,
      // Most allocations of a gateway are short-lived.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    worker.on('message', (message: WorkerMessage) => {
      if ('summary' in message) resolve(message.summary);
      else progress();
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (code !== 0) reject(new Error(`a worker ended with exit code ${code}`));
    });
  });
}
