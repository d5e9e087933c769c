/**
 * CPU utilisation between two samples, of all CPUs and of each. Waiting for a disk counts as idle; time
 * stolen by a hypervisor counts as busy, because the work had to wait. The key is absent in the first sample,
 * after the counters went back (a restored container), and for a CPU that is offline.
 */

import type { HostFiles } from '../files/host-files.ts';
import { InvalidValueError, parseNatural, splitLines } from '../files/parse.ts';
import type { CatalogueEntry, Collector, NumberEntry } from '../runtime/collector.ts';

/** By label: `cpu` is the sum of all CPUs. */
type Ticks = ReadonlyMap<string, readonly number[]>;

export const cpu: Collector = {
  name: 'cpu',
  catalogue: [
    entry('cpuUsePercent', 'minimal', 'share of time the CPUs were busy, since the previous sample'),
    entry('cpu*UsePercent', 'full', 'share of time one CPU was busy, since the previous sample'),
  ],
  open(hostFiles, _clock, isSelected) {
    const linesMax = isSelected('cpu*UsePercent') ? 1 + CPUS_MAX : 1;
    let previousTicks: Ticks = new Map();
    return () => {
      const now = readTicks(hostFiles, linesMax);
      const measurements: Record<string, number | undefined> = {};
      for (const [label, ticks] of now) {
        const previous = previousTicks.get(label);
        if (previous !== undefined) measurements[`${label}UsePercent`] = usePercentBetween(previous, ticks);
      }
      previousTicks = now;
      return measurements;
    };
  },
};

/** Each key permanently occupies an entry of the server's key dictionary. */
const CPUS_MAX = 64;
/** user nice system idle iowait irq softirq steal; the guest time that follows is included in user. */
const FIELDS = 8;
const FIELDS_MIN = 4;
const IDLE_FIELDS = [3, 4];
/** The lines of the CPUs come first; the long line of interrupts is further down. */
const LINE_BYTES_MAX = 256;

function readTicks(hostFiles: HostFiles, linesMax: number): Ticks {
  const lines = splitLines(hostFiles.read('proc/stat', linesMax * LINE_BYTES_MAX), 'proc/stat').slice(
    0,
    linesMax,
  );
  if (!/^cpu\s/.test(lines[0] ?? ''))
    throw new InvalidValueError('/proc/stat does not begin with the line "cpu"');
  const ticks = new Map<string, readonly number[]>();
  for (const line of lines) {
    const [label = '', ...fields] = line.trim().split(/\s+/);
    if (!/^cpu\d*$/.test(label)) break;
    if (fields.length < FIELDS_MIN)
      throw new InvalidValueError(`the line "${label}" of /proc/stat is too short`);
    ticks.set(
      label,
      fields.slice(0, FIELDS).map((field) => parseNatural(field, 'a field of /proc/stat')),
    );
  }
  return ticks;
}

function usePercentBetween(previous: readonly number[], now: readonly number[]): number | undefined {
  if (sum(now) < sum(previous)) return undefined;
  // The kernel documents that single fields, above all idle and iowait, can go back a little.
  const steps = now.map((ticks, field) => Math.max(0, ticks - (previous[field] ?? 0)));
  const total = sum(steps);
  if (total === 0) return undefined;
  const idle = sum(IDLE_FIELDS.map((field) => steps[field] ?? 0));
  return (100 * (total - idle)) / total;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function entry(key: string, profile: NumberEntry['profile'], meaning: string): CatalogueEntry {
  const bounds = { min: 0, max: 100, decimals: 1 };
  return { key, type: 'number', profile, unit: '%', ...bounds, meaning, source: 'proc_stat(5), lines "cpu"' };
}
