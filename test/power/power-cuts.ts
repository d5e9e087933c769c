/**
 * Power cuts on a real file system at random instants of a first boot, with a server that takes up to 0.8 s
 * to respond, so that many cuts are between the intent and the response. The server keeps its power. After
 * each cut the agent is started until it delivers.
 *
 * `omit` leaves out syncs (sync-hook.ts): the control experiment, which must show violations.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createRandom } from '../../src/sandbox/core/random.ts';
import { type Experiment, openExperiment, runInLanes } from './experiment.ts';
import { DELIVERED } from './gateway.ts';
import { LoopDisk, SYNCED_ONLY } from './loop-disk.ts';
import type { Outcome } from './report.ts';

const HOOK = pathToFileURL(join(import.meta.dirname, 'hooks/sync-hook.js')).href;
const SERVER_LATENCY_MAX_MS = 800;
const BOOTS_WITHIN_MS = 90_000;
/** Boots that are timed first, to learn how long one takes on this machine now. */
const REHEARSALS = 4;

export type Omission = 'directory' | 'main' | 'backup' | 'spool';

export interface PowerCuts {
  readonly cuts: number;
  readonly lanes: number;
  readonly seed: number;
  readonly omit: readonly Omission[];
}

export async function powerCuts({ cuts, lanes, seed, omit }: PowerCuts): Promise<Outcome[]> {
  await using experiment = await openExperiment(SERVER_LATENCY_MAX_MS);
  const rehearsals = Array.from({ length: REHEARSALS }, (_, index) => index);
  const tookMs = await runInLanes(lanes, rehearsals, (index) =>
    rehearse(experiment, `gw-rehearsal-${index}`),
  );
  const bootMs = Math.max(...tookMs);
  const random = createRandom(seed);
  const instants = Array.from({ length: cuts }, () => Math.round(random() * bootMs));
  return await runInLanes(lanes, [...instants.entries()], ([index, atMs]) =>
    cutAt(experiment, `gw-${index}`, atMs, omit),
  );
}

/** The duration of an undisturbed first boot, ms. */
async function rehearse(experiment: Experiment, name: string): Promise<number> {
  await using disk = await LoopDisk.create(join(experiment.path, `disk-${name}`), SYNCED_ONLY);
  await using gateway = await experiment.gateway(name, join(disk.path, 'state'));
  await using boot = gateway.start();
  const result = await boot.waitFor([DELIVERED], BOOTS_WITHIN_MS);
  if (result !== DELIVERED)
    throw new Error(`an undisturbed boot did not deliver: ${result}\n${boot.lines.join('\n')}`);
  return performance.now() - boot.startedMs;
}

async function cutAt(
  experiment: Experiment,
  name: string,
  atMs: number,
  omit: readonly Omission[],
): Promise<Outcome> {
  await using disk = await LoopDisk.create(join(experiment.path, `disk-${name}`), SYNCED_ONLY);
  await using gateway = await experiment.gateway(name, join(disk.path, 'state'));
  await using boot = gateway.start({
    nodeArguments: omit.length > 0 ? ['--import', HOOK] : [],
    environment: { SYNC_HOOK_OMIT: omit.join(',') },
  });
  await sleep(atMs);
  gateway.onDiskCut();
  await disk.cut();
  await boot.kill();
  await disk.remount();
  gateway.onDiskRestored();
  const situation = gateway.situation();
  const ending = await gateway.recover();
  return { what: `${name}, cut after ${atMs} ms`, situation, problems: gateway.problems(ending) };
}
