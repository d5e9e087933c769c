/**
 * Power cuts on a real file system while readings are queued, at random instants of three situations: the
 * server is absent; it is present and a backlog of an earlier process is being delivered; it was absent and
 * comes back. After each cut the agent runs with the server present until the backlog is delivered.
 *
 * Promise under test: readings older than one flush interval are on the server with their own timestamps;
 * missing ones are not reported. `omit` leaves out syncs (sync-hook.ts): the control experiment.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LossReport } from '../../src/core/model/loss-report.ts';
import type { Reading } from '../../src/core/model/reading.ts';
import { FsSpoolDirectory } from '../../src/outbox/spool/fs-directory.ts';
import { Spool } from '../../src/outbox/spool/spool.ts';
import { createRandom } from '../../src/sandbox/core/random.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { type Experiment, openExperiment, runInLanes } from './experiment.ts';
import { LoopDisk, SYNCED_ONLY } from './loop-disk.ts';
import type { Omission } from './power-cuts.ts';
import { drainProblems, SAFE_AFTER_MS, SpoolingGateway } from './spooling-gateway.ts';

const SERVER_LATENCY_MAX_MS = 50;
const DRAINS_WITHIN_MS = 90_000;

/** When the power is cut and when the server comes back, ms after the start of the agent. */
const SITUATIONS = {
  'server absent': { fromMs: 300, toMs: 18_000, backlog: 0, backAtMs: Number.POSITIVE_INFINITY },
  'draining a backlog': { fromMs: 500, toMs: 6_000, backlog: 120, backAtMs: 0 },
  'server comes back': { fromMs: 7_000, toMs: 20_000, backlog: 0, backAtMs: 7_000 },
} as const;
export type SpoolSituation = keyof typeof SITUATIONS;
const DISTRIBUTION: readonly SpoolSituation[] = [
  'server absent',
  'server absent',
  'draining a backlog',
  'draining a backlog',
  'server comes back',
];
const CONTROL_FROM_MS = 8_000;
/** So slow that the delivery of the backlog takes longer than the agent runs. */
const DRAIN_PER_S = 4;

export interface SpoolCutOutcome {
  readonly situation: SpoolSituation;
  readonly what: string;
  /** Readings from before the cut: on the server at the cut, delivered after it, and lost. */
  readonly before: number;
  readonly after: number;
  readonly lost: number;
  /** Age of the oldest lost reading at the cut, ms. */
  readonly lostMs: number;
  /** Readings that the agent has reported as lost. */
  readonly reported: number;
  readonly repeated: number;
  readonly problems: readonly string[];
}

export interface SpoolCuts {
  readonly cuts: number;
  readonly lanes: number;
  readonly seed: number;
  readonly omit: readonly Omission[];
}

export async function spoolCuts({ cuts, lanes, seed, omit }: SpoolCuts): Promise<SpoolCutOutcome[]> {
  await using experiment = await openExperiment(SERVER_LATENCY_MAX_MS);
  const random = createRandom(seed);
  const plans = Array.from({ length: cuts }, (_, index) => {
    const situation =
      omit.length > 0 ? 'server absent' : (DISTRIBUTION[index % DISTRIBUTION.length] ?? 'server absent');
    const { fromMs, toMs } = SITUATIONS[situation];
    // Without syncs nothing is missing before something should be on the disk.
    const earliestMs = omit.length > 0 ? CONTROL_FROM_MS : fromMs;
    return { situation, atMs: Math.round(earliestMs + random() * (toMs - earliestMs)) };
  });
  return await runInLanes(lanes, [...plans.entries()], ([index, { situation, atMs }]) =>
    cutAt(experiment, `gw-spool-${index}`, situation, atMs, omit),
  );
}

async function cutAt(
  experiment: Experiment,
  name: string,
  situation: SpoolSituation,
  atMs: number,
  omit: readonly Omission[],
): Promise<SpoolCutOutcome> {
  await using disk = await LoopDisk.create(join(experiment.path, `disk-${name}`), SYNCED_ONLY);
  await using gateway = await SpoolingGateway.create(experiment, name, join(disk.path, 'state'));
  const { backlog, backAtMs } = SITUATIONS[situation];
  if (backlog > 0) await gateway.addReadings(await writeBacklog(gateway.spool, backlog));
  gateway.tap.isOpen = backAtMs === 0;
  await using boot = gateway.start({ omit, drainPerS: DRAIN_PER_S });
  await sleep(Math.min(atMs, backAtMs));
  gateway.tap.isOpen = backAtMs < atMs;
  await sleep(Math.max(0, atMs - backAtMs));
  const cutMs = Date.now();
  await disk.cut();
  await boot.kill();
  gateway.tap.isOpen = true;
  const takenCount = gateway.readings.flat().length;
  const before = takenCount - gateway.compare().missing.length;
  await disk.remount();
  const problems: string[] = [];
  await using restarted = gateway.start();
  problems.push(...(await drainProblems(restarted, DRAINS_WITHIN_MS)));
  const { code } = await restarted.stop();
  if (code !== 0) problems.push(`exit code ${code}`);
  const comparison = gateway.compare();
  const lost = comparison.missing.filter(({ tsMs }) => tsMs <= cutMs);
  const lostMs = Math.max(0, ...lost.map(({ tsMs }) => cutMs - tsMs));
  if (lostMs > SAFE_AFTER_MS)
    problems.push(`${lost.length} readings lost, the oldest read ${lostMs} ms before the cut`);
  problems.push(...comparison.problems);
  const { reported, repeated } = comparison;
  const after = takenCount - before - lost.length;
  return {
    situation,
    what: `${name}, cut after ${atMs} ms`,
    before,
    after,
    lost: lost.length,
    lostMs,
    reported,
    repeated,
    problems,
  };
}

/** Writes a backlog of an earlier boot, an hour old, one reading a second. */
async function writeBacklog(directory: string, count: number): Promise<Reading[]> {
  const bootId = 'an-earlier-boot';
  const firstTsMs = Date.now() - 3_600_000;
  const readings = Array.from({ length: count }, (_, index) => ({
    bootId,
    bootMs: index * 1000,
    tsMs: firstTsMs + index * 1000,
    values: { load1: index / 100, processCount: 100 + index, memoryUsedBytes: 1_700_000_000 + index * 4096 },
    isSnapshot: true,
  }));
  const log = new RecordingLogger();
  const ports = { directory: new FsSpoolDirectory(directory), losses: new LossReport(), log };
  await using spool = await Spool.open({ ...ports, bootId, bytesMax: 64_000_000, freeShare: 0 });
  for (let from = 0; from < count; from += 5) await spool.append(readings.slice(from, from + 5));
  return readings;
}
