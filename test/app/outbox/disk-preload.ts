/**
 * Loaded before an agent with `--import`: a disk as slow as some SD cards, or one that hangs when a file is removed.
 * DISK_SYNC_MS: how much longer each fdatasync takes, ms. DISK_HANGS_BELOW: no file below this path can be removed.
 */

import promises, { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const { DISK_SYNC_MS: syncMs = '0', DISK_HANGS_BELOW: hangingPath } = process.env;

await using handle = await open('/dev/null');
const prototype = Object.getPrototypeOf(handle) as typeof handle;
const { datasync } = prototype;
prototype.datasync = async function slowSync() {
  await sleep(Number(syncMs));
  return datasync.call(this);
};

const { unlink } = promises;
promises.unlink = (path) =>
  hangingPath !== undefined && String(path).startsWith(hangingPath) ? new Promise(() => {}) : unlink(path);
syncBuiltinESMExports();
