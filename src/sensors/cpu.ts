/**
 * CPU use: the share of time in which the CPUs were not idle, from one sample to the next.
 *
 * Waiting for a disk counts as idle; time stolen by a hypervisor counts as busy, since the work had to wait for it. The first
 * sample has nothing to compare with, and a sample after the counters went back (a restored container) neither: the key is
 * then absent. The kernel warns that single fields, idle and iowait above all, may run back a little: such a step counts as 0.
 */

import { type Collector, type Measured, NonsenseError } from './collector.ts';
import { natural, wholeLines } from './parse.ts';
import type { Tree } from './tree.ts';

export const cpu: Collector = {
  name: 'cpu',
  catalogue: [
    {
      key: 'cpuUsePercent',
      type: 'number',
      profile: 'minimal',
      unit: '%',
      min: 0,
      max: 100,
      decimals: 1,
      meaning: 'time the CPUs were busy since the last sample',
      source: 'proc_stat(5), line "cpu"',
    },
  ],
  open(tree) {
    let before: readonly number[] | undefined;
    return () => {
      const now = readTicks(tree);
      const measured = before === undefined ? {} : useBetween(before, now);
      before = now;
      return measured;
    };
  },
};

/** user nice system idle iowait irq softirq steal; guest time, which follows, is in user already. */
const FIELDS = 8;
const FIELDS_MIN = 4;
const IDLE_FIELDS = [3, 4];
/** The first line is all we need; the long one that counts interrupts is further down. */
const FIRST_LINE_BYTES_MAX = 512;

function readTicks(tree: Tree): readonly number[] {
  const [line = ''] = wholeLines(tree.read('proc/stat', FIRST_LINE_BYTES_MAX), 'proc/stat');
  const [label, ...fields] = line.trim().split(/\s+/);
  if (label !== 'cpu' || fields.length < FIELDS_MIN) {
    throw new NonsenseError('/proc/stat does not begin with the line "cpu"');
  }
  return fields.slice(0, FIELDS).map((field) => natural(field, 'a field of /proc/stat'));
}

function useBetween(before: readonly number[], now: readonly number[]): Measured {
  if (sum(now) < sum(before)) return {};
  const steps = now.map((ticks, field) => Math.max(0, ticks - (before[field] ?? 0)));
  const total = sum(steps);
  if (total === 0) return {};
  const idle = sum(IDLE_FIELDS.map((field) => steps[field] ?? 0));
  return { cpuUsePercent: (100 * (total - idle)) / total };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
