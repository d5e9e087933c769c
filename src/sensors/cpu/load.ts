/**
 * Load average: tasks that run, or wait for a CPU or in uninterruptible sleep; not divided by the number of
 * CPUs. The number of threads comes from the same line at no cost. An invalid field costs only its own value.
 */

import { parseDecimal, parseNatural, splitLines } from '../files/parse.ts';
import type { Collector, NumberEntry } from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';

export const load: Collector = {
  name: 'load',
  catalogue: [
    entry('load1', 'default', 'tasks running or waiting, average over 1 minute'),
    entry('load5', 'full', 'tasks running or waiting, average over 5 minutes'),
    entry('load15', 'full', 'tasks running or waiting, average over 15 minutes'),
    { ...entry('threadCount', 'full', 'threads of all processes'), decimals: 0 },
  ],
  open: (hostFiles) => () => {
    const [line = ''] = splitLines(hostFiles.read('proc/loadavg'), 'proc/loadavg');
    const [one, five, fifteen, tasks] = line.split(' ');
    const read = new PartialRead();
    read.attemptValue('loadavg', 'load1', () => parseDecimal(one, 'the first field of /proc/loadavg'));
    read.attemptValue('loadavg', 'load5', () => parseDecimal(five, 'the second field of /proc/loadavg'));
    read.attemptValue('loadavg', 'load15', () => parseDecimal(fifteen, 'the third field of /proc/loadavg'));
    read.attemptValue('loadavg', 'threadCount', () =>
      parseNatural(tasks?.split('/')[1], 'the fourth field of /proc/loadavg'),
    );
    return read.result();
  },
};

function entry(key: string, profile: NumberEntry['profile'], meaning: string): NumberEntry {
  const bounds = { min: 0, max: 10_000_000, decimals: 2 };
  return { key, type: 'number', profile, unit: '', ...bounds, meaning, source: 'proc_loadavg(5)' };
}
