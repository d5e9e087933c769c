/**
 * Power cuts on a real file system, at random instants of a first boot, against a server that takes up to 0.8 s to decide, so that many
 * cuts fall between the intent and the answer. The server keeps its power. After each cut the agent is started until it delivers.
 *
 * `omit` leaves out syncs (sync-hook.ts): the control experiment, which has to end badly.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createRandom } from '../../src/sandbox/core/random.ts';
import { type Experiment, inLanes, openExperiment } from './experiment.ts';
import { DELIVERED } from './gateway.ts';
import { LoopDisk, UNFORGIVING } from './loop-disk.ts';
import type { Outcome } from './report.ts';

const HOOK = pathToFileURL(join(import.meta.dirname, 'hooks/sync-hook.js')).href;
const SERVER_LATENCY_MAX_MS = 800;
const BOOTS_WITHIN_MS = 90_000;
/** Boots measured to know how long one takes on this machine, now. */
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
  const tookMs = await inLanes(lanes, rehearsals, (index) => rehearse(experiment, `gw-rehearsal-${index}`));
  const bootMs = Math.max(...tookMs);
  const random = createRandom(seed);
  const instants = Array.from({ length: cuts }, () => Math.round(random() * bootMs));
  return await inLanes(lanes, [...instants.entries()], ([index, atMs]) =>
    cutAt(experiment, `gw-${index}`, atMs, omit),
  );
}

/** How long an undisturbed first boot takes, ms. */
async function rehearse(experiment: Experiment, name: string): Promise<number> {
  await using disk = await LoopDisk.make(join(experiment.path, `disk-${name}`), UNFORGIVING);
  await using gateway = await experiment.gateway(name, join(disk.path, 'state'));
  await using boot = gateway.start();
  const seen = await boot.sees([DELIVERED], BOOTS_WITHIN_MS);
  if (seen !== DELIVERED) throw new Error(`an undisturbed boot: ${seen}\n${boot.lines.join('\n')}`);
  return performance.now() - boot.startedMs;
}

async function cutAt(
  experiment: Experiment,
  name: string,
  atMs: number,
  omit: readonly Omission[],
): Promise<Outcome> {
  await using disk = await LoopDisk.make(join(experiment.path, `disk-${name}`), UNFORGIVING);
  await using gateway = await experiment.gateway(name, join(disk.path, 'state'));
  await using boot = gateway.start({
    nodeArguments: omit.length > 0 ? ['--import', HOOK] : [],
    environment: { SYNC_HOOK_OMIT: omit.join(',') },
  });
  await sleep(atMs);
  gateway.diskGoes();
  await disk.cut();
  await boot.kill();
  await disk.remount();
  gateway.diskCame();
  const standing = gateway.standing();
  const ending = await gateway.recover();
  return { what: `${name}, cut after ${atMs} ms`, standing, problems: gateway.problems(ending) };
}
