/**
 * Load average: how many tasks ran or waited, for a CPU or in an uninterruptible sleep, over 1, 5 and 15 minutes.
 *
 * As the kernel gives it, not divided by the number of CPUs.
 */

import type { CatalogueEntry, Collector } from './collector.ts';
import { decimal, wholeLines } from './parse.ts';

export const load: Collector = {
  name: 'load',
  catalogue: [entry('load1', '1 minute'), entry('load5', '5 minutes'), entry('load15', '15 minutes')],
  open: (tree) => () => {
    const [one, five, fifteen] = (wholeLines(tree.read('proc/loadavg'), 'proc/loadavg')[0] ?? '').split(' ');
    return {
      load1: decimal(one, 'the first field of /proc/loadavg'),
      load5: decimal(five, 'the second field of /proc/loadavg'),
      load15: decimal(fifteen, 'the third field of /proc/loadavg'),
    };
  },
};

function entry(key: string, span: string): CatalogueEntry {
  return {
    key,
    type: 'number',
    profile: 'default',
    unit: '',
    min: 0,
    max: 1_000_000,
    decimals: 2,
    meaning: `tasks running or waiting, average of ${span}`,
    source: 'proc_loadavg(5)',
  };
}
