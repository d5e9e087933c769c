/**
 * Pressure stall information: the share of the last 10 s in which at least one task ("some") or all non-idle
 * tasks ("full") waited for a CPU, memory or a disk. It distinguishes a gateway that lacks a resource from a
 * busy one. Absent if the kernel does not count it: Raspberry Pi OS needs `psi=1` on the kernel command line. A
 * file or line that is invalid costs only its own values.
 */

import { readOptionalLines } from '../files/optional-files.ts';
import { InvalidValueError, parseDecimal } from '../files/parse.ts';
import type { CatalogueEntry, Collector, NumberEntry } from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';

const RESOURCES = [
  { file: 'memory', some: 'pressureMemorySomePercent', full: 'pressureMemoryFullPercent' },
  { file: 'io', some: 'pressureIoSomePercent', full: 'pressureIoFullPercent' },
  { file: 'cpu', some: 'pressureCpuSomePercent', full: undefined },
] as const;

export const pressure: Collector = {
  name: 'pressure',
  catalogue: [
    entry('pressureMemorySomePercent', 'at least one task waited for memory', 'default'),
    entry('pressureMemoryFullPercent', 'all non-idle tasks waited for memory'),
    entry('pressureIoSomePercent', 'at least one task waited for a disk'),
    entry('pressureIoFullPercent', 'all non-idle tasks waited for a disk'),
    entry('pressureCpuSomePercent', 'at least one task waited for a CPU'),
  ],
  open: (hostFiles, _clock, isSelected) => {
    const selectedResources = RESOURCES.filter(
      ({ some, full }) => isSelected(some) || (full !== undefined && isSelected(full)),
    );
    return () => {
      const read = new PartialRead();
      for (const { file, some, full } of selectedResources) {
        read.attempt(file, () => {
          const lines = readOptionalLines(hostFiles, `proc/pressure/${file}`);
          if (lines === undefined) return undefined;
          read.attemptValue(file, some, () => average(lines, 'some', file));
          if (full !== undefined) read.attemptValue(file, full, () => average(lines, 'full', file));
          return undefined;
        });
      }
      return read.result();
    };
  },
};

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and the same for full. */
function average(lines: readonly string[], label: 'some' | 'full', file: string): number {
  const line = lines.find((candidate) => candidate.startsWith(`${label} avg10=`));
  if (line === undefined) throw new InvalidValueError(`/proc/pressure/${file} has no line "${label}"`);
  const value = line.slice(`${label} avg10=`.length).split(' ', 1)[0];
  return parseDecimal(value, `"${label}" of /proc/pressure/${file}`);
}

function entry(key: string, condition: string, profile: NumberEntry['profile'] = 'full'): CatalogueEntry {
  return {
    key,
    type: 'number',
    profile,
    unit: '%',
    min: 0,
    max: 100,
    decimals: 1,
    meaning: `share of the last 10 s in which ${condition}`,
    source: 'Documentation/accounting/psi.rst',
  };
}
