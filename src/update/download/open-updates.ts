/**
 * Opens the agent's part of updates, if there is a key: without one no code of it is loaded. Root's part is another process
 * (cli/update/install-command.ts); a file in the runtime directory starts it.
 */

import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Schedule, waitBeforeMs } from '../../core/failures/backoff.ts';
import type { Config } from '../../core/model/config.ts';
import type { Outbox } from '../../core/ports/outbox.ts';
import { writeRequest } from '../request-file.ts';
import type { FollowerPorts, UpdateFollower } from './update-follower.ts';

/** As in trusted-keys.ts, which checks the files. */
const KEYS_DIRECTORY = '/etc/firstlight/update-keys.d';
const SERVICE_STATE = '/var/lib/firstlight';
/** Of requests to the server. */
const RETRY: Schedule = { baseMs: 5_000, capMs: 5 * 60_000 };

export interface UpdateServices extends Pick<FollowerPorts, 'clock' | 'random' | 'log'> {
  /** The state directory. */
  readonly state: string;
  /** The runtime directory; without one nothing can be requested. */
  readonly runtime: string | undefined;
  readonly outbox: Pick<Outbox, 'fresh'>;
  /** The version of the program. */
  readonly version: string;
}

export async function openUpdates(
  { update, telemetry }: Pick<Config, 'update' | 'telemetry'>,
  { state, clock, random, log, outbox, runtime, version }: UpdateServices,
): Promise<UpdateFollower | undefined> {
  if (runtime === undefined || !hasKeys() || !isServiceState(state)) return undefined;
  const { createFollower } = await import('./create-follower.ts');
  return createFollower(
    {
      ...{ clock, random, log, state },
      retryMs: (failures) => waitBeforeMs(RETRY, failures, random.uniform()),
      isBusy: () => outbox.fresh.size > readingsGathered(telemetry),
      request: (id) => writeRequest(runtime, id),
    },
    { ...update, installed: installedVersion(process.argv[1] ?? '', version) },
  );
}

/** How many fresh readings wait on purpose, for telemetry.send-every: beyond them, delivery is behind. */
export function readingsGathered({
  sendEveryMs,
  intervalMs,
}: Pick<Config['telemetry'], 'sendEveryMs' | 'intervalMs'>): number {
  return Math.ceil(sendEveryMs / intervalMs);
}

/** Root's part reads the update from the state directory of the service only. */
function isServiceState(state: string): boolean {
  try {
    return realpathSync(state) === realpathSync(SERVICE_STATE);
  } catch {
    return false;
  }
}

function hasKeys(): boolean {
  try {
    return readdirSync(KEYS_DIRECTORY).some((name) => name.endsWith('.pem'));
  } catch {
    return false;
  }
}

/** The version of the package, which may be a rebuild of this version of the program. */
function installedVersion(program: string, version: string): string {
  try {
    return readFileSync(join(dirname(program), 'package-version'), 'utf8').trim();
  } catch {
    return version;
  }
}
