/** The state directory: is it there, whose is it, is its file system writable, is there space, is the card at its end. */

import { readdir, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Check, cross, dash, type Finding, tick, wordsOf } from './check.ts';

/** Below this a record and a flush do not fit for sure, bytes. */
const FREE_BYTES_MIN = 2_000_000;

export function stateCheck(directory: string, root = '/'): Check {
  return { name: 'state directory', look: () => look(directory, root) };
}

async function look(directory: string, root: string): Promise<Finding> {
  try {
    const found = await stat(directory);
    if (!found.isDirectory())
      return cross(
        `${directory} is no directory`,
        'there is no place for credentials and waiting readings, and the agent cannot start',
        `move that file away; the next start makes the directory`,
      );
    const { mode } = found;
    if ((mode & 0o077) !== 0)
      return cross(
        `${directory} has mode ${(mode & 0o777).toString(8)}`,
        'other users may look into it, where the token is',
        `close it to others: sudo chmod 700 ${directory}`,
      );
  } catch (error) {
    const code = wordsOf(error);
    if (code === 'ENOENT') return dash(`${directory} does not exist yet: the first start makes it`);
    if (code === 'EACCES') return dash(`${directory} may not be looked at by this user: run it with sudo`);
    throw error;
  }
  if (await isReadOnly(directory, root))
    return cross(
      `the file system of ${directory} is mounted read-only`,
      'nothing can be kept: no new credentials, no waiting readings; a failing card is often remounted so',
      'check the card (journalctl -k), replace it if it reports errors, and remount the file system writable',
    );
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free < FREE_BYTES_MIN)
    return cross(
      `${directory} has ${Math.round(free / 1000)} kB free`,
      'the disk is full: credentials and waiting readings cannot be stored',
      'free some space on that file system',
    );
  const worn = await wornCard(root);
  if (worn !== undefined)
    return cross(
      worn,
      'the card says of itself that it is near the end of its life',
      'replace the card soon, and copy it while it can be read',
    );
  return tick(`${directory}, ${Math.round(free / 1_000_000)} MB free`);
}

async function isReadOnly(directory: string, root: string): Promise<boolean> {
  const mounts = (await readFile(join(root, 'proc/self/mounts'), 'utf8')).split('\n');
  const fields = mounts.map((line) => line.split(' '));
  const below = (place = ''): boolean =>
    directory === place || directory.startsWith(place.replace(/\/?$/, '/'));
  // The longest mount point above the directory is its own; of two on one point the later covers the earlier.
  const [own] = fields
    .reverse()
    .filter(([, place]) => below(place))
    .sort(([, one = ''], [, other = '']) => other.length - one.length);
  return own?.[3]?.split(',').includes('ro') ?? false;
}

/** eMMC and some SD cards tell; JESD84-B51, PRE_EOL_INFO: 2 is a warning, 3 urgent. */
async function wornCard(root: string): Promise<string | undefined> {
  const blocks = await readdir(join(root, 'sys/block')).catch(() => []);
  for (const name of blocks.filter((each) => each.startsWith('mmcblk'))) {
    const info = await readFile(join(root, 'sys/block', name, 'device/pre_eol_info'), 'utf8').catch(() => '');
    if (Number(info.trim()) >= 2) return `${name} reports pre_eol_info ${info.trim()}`;
  }
  return undefined;
}
