/** Checks the state directory: existence, permissions, writable file system, free space, wear of the SD card or eMMC. */

import { readdir, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { EVENTS, splitSentence } from '../core/events/catalogue.ts';
import { type BlockSizes, blockBytes } from '../core/model/block-size.ts';
import { type Check, type CheckResult, describeError, fail, pass, skip } from './check.ts';

/** Space for a credential record and one flush, bytes. */
const FREE_BYTES_MIN = 2_000_000;

export interface StateCheckOptions {
  /** The storage in memory that it is on; undefined if it is on a disk (host/volatile-storage.ts). */
  readonly volatileStorage?: string | undefined;
  /** The configuration contains the access token, so nothing of value is lost with the directory. */
  readonly hasFixedToken?: boolean;
  readonly root?: string;
}

export function stateCheck(directory: string, options: StateCheckOptions = {}): Check {
  return { name: 'state directory', run: () => checkState(directory, options) };
}

async function checkState(
  directory: string,
  { volatileStorage, hasFixedToken, root = '/' }: StateCheckOptions,
): Promise<CheckResult> {
  const result = await checkDirectory(directory, root);
  if (result === 'forbidden') return skip(`this user cannot read ${directory}: run with sudo`);
  if (result.status === 'fail' || volatileStorage === undefined) return result;
  if (hasFixedToken)
    return pass(`${result.observed}, on ${volatileStorage}: a reboot or power cut loses the queued readings`);
  const { cause, remedy } = splitSentence(EVENTS['FL-STATE-VOLATILE'].sentence);
  return fail(`${directory} is on ${volatileStorage}`, cause, remedy);
}

async function checkDirectory(directory: string, root: string): Promise<CheckResult | 'forbidden'> {
  try {
    const stats = await stat(directory);
    if (!stats.isDirectory())
      return fail(
        `${directory} is not a directory`,
        'the agent cannot store credentials and queued readings, so it cannot start',
        'move that file away; the agent creates the directory at its next start',
      );
    const { mode } = stats;
    if ((mode & 0o077) !== 0)
      return fail(
        `${directory} has mode ${(mode & 0o777).toString(8)}`,
        'other users can read the directory, which contains the token',
        `restrict it: sudo chmod 700 ${directory}`,
      );
  } catch (error) {
    const code = describeError(error);
    if (code === 'ENOENT')
      return skip(`${directory} does not exist yet: the agent creates it at its first start`);
    if (code === 'EACCES') return 'forbidden';
    throw error;
  }
  if (await isReadOnly(directory, root))
    return fail(
      `the file system of ${directory} is mounted read-only`,
      'the agent can store neither credentials nor readings; the kernel often remounts a failing disk read-only',
      'check the SD card or disk (journalctl -k), replace it if it reports errors, and remount the file system writable',
    );
  const space = freeSpace(await statfs(directory));
  if (space.isFull)
    return fail(
      `${directory} has ${space.free} free`,
      'the disk is full: the agent cannot store credentials and queued readings',
      'free some space on that file system',
    );
  const wearReport = await readWear(root);
  if (wearReport !== undefined)
    return fail(
      wearReport,
      'the SD card or eMMC reports that it is near the end of its life',
      'copy it while it is readable, and replace it soon',
    );
  return pass(`${directory}, ${space.free} free`);
}

/** In MB or kB; in percent if Node does not report the size of a block. */
export function freeSpace(stats: BlockSizes & { readonly bavail: number; readonly blocks: number }): {
  readonly isFull: boolean;
  readonly free: string;
} {
  const unit = blockBytes(stats);
  if (unit === undefined) {
    const percent = Math.floor((100 * stats.bavail) / Math.max(1, stats.blocks));
    return { isFull: stats.bavail === 0, free: `${percent} %` };
  }
  const bytes = stats.bavail * unit;
  const isFull = bytes < FREE_BYTES_MIN;
  return { isFull, free: isFull ? `${Math.round(bytes / 1000)} kB` : `${Math.round(bytes / 1_000_000)} MB` };
}

async function isReadOnly(directory: string, root: string): Promise<boolean> {
  const mounts = (await readFile(join(root, 'proc/self/mounts'), 'utf8')).split('\n');
  const fields = mounts.map((line) => line.split(' '));
  const contains = (mountPoint = ''): boolean =>
    directory === mountPoint || directory.startsWith(mountPoint.replace(/\/?$/, '/'));
  // The longest mount point above the directory; of two mounts on one point, the later one is visible.
  const [ownMount] = fields
    .reverse()
    .filter(([, mountPoint]) => contains(mountPoint))
    .sort(([, one = ''], [, other = '']) => other.length - one.length);
  return ownMount?.[3]?.split(',').includes('ro') ?? false;
}

/** Reported by eMMC and some SD cards. JESD84-B51, PRE_EOL_INFO: 2 is a warning, 3 is urgent. */
async function readWear(root: string): Promise<string | undefined> {
  const blocks = await readdir(join(root, 'sys/block')).catch(() => []);
  for (const name of blocks.filter((each) => each.startsWith('mmcblk'))) {
    const info = await readFile(join(root, 'sys/block', name, 'device/pre_eol_info'), 'utf8').catch(() => '');
    if (Number(info.trim()) >= 2) return `${name} reports pre_eol_info ${info.trim()}`;
  }
  return undefined;
}
