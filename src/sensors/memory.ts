/**
 * Memory: what programs use, what they could still get, and how much of the swap is in use.
 *
 * "Used" is total minus available, so a page cache that can be given back is not counted as used. Kernels before 3.14 do
 * not say what is available; there both keys are absent rather than guessed from the free memory.
 */

import type { Profile } from '../core/selection.ts';
import { type CatalogueEntry, type Collector, NonsenseError } from './collector.ts';
import { natural } from './parse.ts';

const BYTES_MAX = 2 ** 50;

export const memory: Collector = {
  name: 'memory',
  catalogue: [
    entry('memoryUsedBytes', 'memory in use, without what could be freed at once'),
    entry('memoryAvailableBytes', 'memory a program could get without swapping', 'minimal'),
    entry('swapUsedBytes', 'swap in use; 0 where there is no swap'),
  ],
  open: (tree) => () => {
    const meminfo = tree.read('proc/meminfo');
    const total = bytes(meminfo, 'MemTotal');
    const available = bytes(meminfo, 'MemAvailable');
    const swapTotal = bytes(meminfo, 'SwapTotal');
    const swapFree = bytes(meminfo, 'SwapFree');
    if (total === undefined) throw new NonsenseError('/proc/meminfo has no MemTotal');
    return {
      memoryUsedBytes: minus(total, available),
      memoryAvailableBytes: available,
      swapUsedBytes: minus(swapTotal, swapFree),
    };
  },
};

const BYTES_PER_KIB = 1024;

function entry(key: string, meaning: string, profile: Profile = 'default'): CatalogueEntry {
  return {
    key,
    type: 'number',
    profile,
    unit: 'B',
    min: 0,
    max: BYTES_MAX,
    decimals: 0,
    meaning,
    source: 'proc_meminfo(5)',
  };
}

/** A field of meminfo, which counts in units of 1,024 bytes and calls them kB; undefined when this kernel lacks it. */
function bytes(meminfo: string, field: string): number | undefined {
  const start = meminfo.startsWith(`${field}:`) ? 0 : meminfo.indexOf(`\n${field}:`) + 1;
  if (start === 0 && !meminfo.startsWith(`${field}:`)) return undefined;
  const end = meminfo.indexOf('\n', start);
  const line = meminfo.slice(start + field.length + 1, end === -1 ? undefined : end).trim();
  if (!line.endsWith(' kB')) throw new NonsenseError(`${field} of /proc/meminfo is not in kB`);
  return BYTES_PER_KIB * natural(line.slice(0, -' kB'.length), `${field} of /proc/meminfo`);
}

function minus(whole: number | undefined, part: number | undefined): number | undefined {
  return whole === undefined || part === undefined ? undefined : whole - part;
}
