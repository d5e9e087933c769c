/** What a block device has written so far. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** proc(5), /proc/diskstats: counted in sectors of this size whatever the device's own is. */
const SECTOR_BYTES = 512;

/** Bytes, after everything of the file system mounted there is written out. `device` as in /proc/diskstats. */
export function deviceBytes(device, mounted) {
  execFileSync('sync', ['-f', mounted]);
  const line = readFileSync('/proc/diskstats', 'utf8')
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find(([, , name]) => name === device);
  if (!line) throw new Error(`/proc/diskstats does not know ${device}`);
  return Number(line[9]) * SECTOR_BYTES;
}
