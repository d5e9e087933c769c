/** The bytes written to a block device. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** proc(5), /proc/diskstats: counted in sectors of this size, whatever the sector size of the device. */
const SECTOR_BYTES = 512;

/** After a sync of the file system at `mounted`. `device` as in /proc/diskstats. */
export function deviceBytes(device, mounted) {
  execFileSync('sync', ['-f', mounted]);
  const line = readFileSync('/proc/diskstats', 'utf8')
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find(([, , name]) => name === device);
  if (!line) throw new Error(`/proc/diskstats has no device ${device}`);
  return Number(line[9]) * SECTOR_BYTES;
}
