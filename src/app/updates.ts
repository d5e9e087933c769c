/**
 * Opens the agent's part of updates, if there is a key: without one no code of it is loaded. Root's part is another process
 * (cli/update/install-command.ts); a file in the runtime directory starts it.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../core/model/config.ts';
import type { UpdateFollower } from '../update/download/update-follower.ts';
import type { SharedServices } from './agent-instance.ts';
import { VERSION } from './version.ts';

/** As in update/trusted-keys.ts, which checks the files. */
const KEYS_DIRECTORY = '/etc/firstlight/update-keys.d';
const REQUEST_FILE = 'update-request';

export async function openUpdates(
  { update }: Pick<Config, 'update'>,
  { state, clock, random, log, outbox, runtime }: SharedServices,
): Promise<UpdateFollower | undefined> {
  if (runtime === undefined || !hasKeys()) return undefined;
  const { createFollower } = await import('../update/download/create-follower.ts');
  return createFollower(
    {
      ...{ clock, random, log, state },
      isBusy: () => outbox.fresh.size > 0,
      request: () => writeFileSync(join(runtime, REQUEST_FILE), ''),
    },
    { ...update, installed: installedVersion(process.argv[1] ?? '') },
  );
}

function hasKeys(): boolean {
  try {
    return readdirSync(KEYS_DIRECTORY).some((name) => name.endsWith('.pem'));
  } catch {
    return false;
  }
}

/** The version of the package, which may be a rebuild of this version of the program. */
function installedVersion(program: string): string {
  try {
    return readFileSync(join(dirname(program), 'package-version'), 'utf8').trim();
  } catch {
    return VERSION;
  }
}
