/**
 * Memory and swap in use, as bytes and as shares. Used memory is total minus available, so that a page cache
 * that can be freed does not count. Kernels before 3.14 do not report available memory; then these keys are
 * absent.
 */

import { InvalidValueError, parseNatural } from '../files/parse.ts';
import type { CatalogueEntry, Collector, NumberEntry } from '../runtime/collector.ts';

const BYTES_MAX = 2 ** 50;
const SOURCE = 'proc_meminfo(5)';

export const memory: Collector = {
  name: 'memory',
  catalogue: [
    percentEntry('memoryUsedPercent', 'minimal', 'share of memory in use, excluding reclaimable memory'),
    bytesEntry('memoryUsedBytes', 'memory in use, excluding reclaimable memory'),
    bytesEntry('memoryAvailableBytes', 'memory available to programs without swapping'),
    bytesEntry('memoryTotalBytes', 'total memory, excluding memory reserved for the kernel and the graphics'),
    percentEntry('swapUsedPercent', 'full', 'share of swap space in use; absent if the host has none'),
    bytesEntry('swapUsedBytes', 'swap space in use; 0 if the host has none'),
    bytesEntry('swapTotalBytes', 'total swap space'),
  ],
  open: (hostFiles) => () => {
    const meminfo = hostFiles.read('proc/meminfo');
    const total = readBytes(meminfo, 'MemTotal');
    const available = readBytes(meminfo, 'MemAvailable');
    const swapTotal = readBytes(meminfo, 'SwapTotal');
    const swapFree = readBytes(meminfo, 'SwapFree');
    if (total === undefined) throw new InvalidValueError('/proc/meminfo has no MemTotal');
    const used = subtract(total, available);
    const swapUsed = subtract(swapTotal, swapFree);
    return {
      memoryUsedPercent: percent(used, total),
      memoryUsedBytes: used,
      memoryAvailableBytes: available,
      memoryTotalBytes: total,
      swapUsedPercent: percent(swapUsed, swapTotal),
      swapUsedBytes: swapUsed,
      swapTotalBytes: swapTotal,
    };
  },
};

const BYTES_PER_KIB = 1024;

function bytesEntry(key: string, meaning: string): CatalogueEntry {
  const bounds = { min: 0, max: BYTES_MAX, decimals: 0 };
  return { key, type: 'number', profile: 'full', unit: 'B', ...bounds, meaning, source: SOURCE };
}

function percentEntry(key: string, profile: NumberEntry['profile'], meaning: string): CatalogueEntry {
  const bounds = { min: 0, max: 100, decimals: 1 };
  return { key, type: 'number', profile, unit: '%', ...bounds, meaning, source: SOURCE };
}

/** A field of meminfo, whose kB are 1,024 bytes; undefined if the kernel does not have it. */
function readBytes(meminfo: string, field: string): number | undefined {
  const start = meminfo.startsWith(`${field}:`) ? 0 : meminfo.indexOf(`\n${field}:`) + 1;
  if (start === 0 && !meminfo.startsWith(`${field}:`)) return undefined;
  const end = meminfo.indexOf('\n', start);
  const line = meminfo.slice(start + field.length + 1, end === -1 ? undefined : end).trim();
  if (!line.endsWith(' kB')) throw new InvalidValueError(`${field} of /proc/meminfo is not in kB`);
  return BYTES_PER_KIB * parseNatural(line.slice(0, -' kB'.length), `${field} of /proc/meminfo`);
}

function subtract(whole: number | undefined, part: number | undefined): number | undefined {
  return whole === undefined || part === undefined ? undefined : whole - part;
}

function percent(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined || whole === 0 ? undefined : (100 * part) / whole;
}
