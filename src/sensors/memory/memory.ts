/**
 * Memory and swap in use, as bytes and as shares. Used memory is total minus available, so that a page cache
 * that can be freed does not count. Kernels before 3.14 do not report available memory; then these keys are
 * absent. What the file says of swap says nothing of memory, and an invalid field costs only its own keys.
 */

import { InvalidValueError, invalidText, parseNatural } from '../files/parse.ts';
import type { CatalogueEntry, Collector, NumberEntry } from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';

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
  notes: [
    'If the kernel reports more free than total swap, as containers do at times, its use is absent and the memory is not affected.',
    'A total memory of 0 bytes is a file of zeros: all values are absent.',
  ],
  open: (hostFiles) => () => {
    const meminfo = hostFiles.read('proc/meminfo');
    const read = new PartialRead();
    const field = (name: string) => readField(meminfo, name, read);
    const total = field('MemTotal');
    // Containers are given a file of zeros at times.
    if (total === 0) throw new InvalidValueError('MemTotal of /proc/meminfo is 0');
    if (total === undefined) read.fail('MemTotal', new InvalidValueError('/proc/meminfo has no MemTotal'));
    const available = notAbove(total, field('MemAvailable'), 'MemAvailable', read);
    const swapTotal = field('SwapTotal');
    const swapFree = notAbove(swapTotal, field('SwapFree'), 'SwapFree', read);
    const used = subtract(total, available);
    const swapUsed = subtract(swapTotal, swapFree);
    read.values['memoryUsedPercent'] = percent(used, total);
    read.values['memoryUsedBytes'] = used;
    read.values['memoryAvailableBytes'] = available;
    read.values['memoryTotalBytes'] = total;
    read.values['swapUsedPercent'] = percent(swapUsed, swapTotal);
    read.values['swapUsedBytes'] = swapUsed;
    read.values['swapTotalBytes'] = swapTotal;
    return read.result();
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

/** Undefined if the kernel does not have the field, and if it is invalid, which costs only its own values. */
function readField(meminfo: string, field: string, read: PartialRead): number | undefined {
  try {
    return readBytes(meminfo, field);
  } catch (error) {
    read.fail(field, error);
    return undefined;
  }
}

/** A field of meminfo, whose kB are 1,024 bytes; undefined if the kernel does not have it. */
function readBytes(meminfo: string, field: string): number | undefined {
  const start = meminfo.startsWith(`${field}:`) ? 0 : meminfo.indexOf(`\n${field}:`) + 1;
  if (start === 0 && !meminfo.startsWith(`${field}:`)) return undefined;
  const end = meminfo.indexOf('\n', start);
  const line = meminfo.slice(start + field.length + 1, end === -1 ? undefined : end).trim();
  if (!line.endsWith(' kB')) throw new InvalidValueError(`${field} of /proc/meminfo is not in kB`);
  const bytes = BYTES_PER_KIB * parseNatural(line.slice(0, -' kB'.length), `${field} of /proc/meminfo`);
  if (bytes > BYTES_MAX) throw invalidText(`${field} of /proc/meminfo`, line);
  return bytes;
}

/** The part; undefined if it is larger than the whole, as when lxcfs calculates both at different times. */
function notAbove(
  whole: number | undefined,
  part: number | undefined,
  field: string,
  read: PartialRead,
): number | undefined {
  if (whole === undefined || part === undefined || part <= whole) return part;
  read.fail(field, new InvalidValueError(`${field} of /proc/meminfo is above its total`));
  return undefined;
}

function subtract(whole: number | undefined, part: number | undefined): number | undefined {
  return whole === undefined || part === undefined ? undefined : whole - part;
}

function percent(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined || whole === 0 ? undefined : (100 * part) / whole;
}
