/**
 * Many gateways' weeks, on every core: each worker takes every so-many-th gateway, so that which of them is simulated where
 * changes nothing.
 */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { oneWeek } from './one-week.ts';
import type { WeekPlant } from './planted-bugs.ts';
import { addOutcome, emptyTally, join, type WeeksTally } from './tally.ts';

export interface Campaign {
  readonly gateways: number;
  readonly days: number;
  /** Of the first gateway, the others follow. */
  readonly seed: number;
  readonly plant?: WeekPlant | undefined;
  /** Each gateway dies a dozen times in each boot. */
  readonly oftenKilled?: boolean | undefined;
  /** Lines of trace kept of a gateway with a broken promise. */
  readonly traceMax?: number;
}

export interface Share extends Campaign {
  /** This worker's, of so many. */
  readonly worker: number;
  readonly workers: number;
}

const YOUNG_MB = 64;

/** A worker tells how far it is, and at the end what came of its share. */
export type Report = { readonly done: number } | { readonly tally: WeeksTally };

/** Simulates the gateways of one share, one after another. */
export async function simulateShare(share: Share, progress: () => void = () => {}): Promise<WeeksTally> {
  const { gateways, worker, workers, seed, ...options } = share;
  const tally = emptyTally();
  for (let gateway = worker; gateway < gateways; gateway += workers) {
    addOutcome(tally, await oneWeek({ ...options, seed: seed + gateway }));
    progress();
  }
  return tally;
}

/** On all cores; `progress` hears how many gateways are done. */
export async function simulateWeeks(
  campaign: Campaign,
  progress: (done: number) => void = () => {},
): Promise<WeeksTally> {
  const workers = Math.max(1, Math.min(availableParallelism(), campaign.gateways));
  let done = 0;
  const tallies = await Promise.all(
    Array.from({ length: workers }, (_, worker) =>
      inWorker({ ...campaign, worker, workers }, () => {
        done += 1;
        progress(done);
      }),
    ),
  );
  const sum = emptyTally();
  for (const tally of tallies) join(sum, tally);
  return sum;
}

function inWorker(share: Share, progress: () => void): Promise<WeeksTally> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: share,
      // Most of what a gateway allocates is garbage at once.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    worker.on('message', (report: Report) => {
      if ('tally' in report) resolve(report.tally);
      else progress();
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (code !== 0) reject(new Error(`a worker ended with exit code ${code}`));
    });
  });
}
