/** Seconds since the kernel started, including time asleep; in most containers those of the host. */

import { parseDecimal, splitLines } from '../files/parse.ts';
import type { Collector } from '../runtime/collector.ts';

export const uptime: Collector = {
  name: 'uptime',
  catalogue: [
    {
      key: 'uptimeS',
      type: 'number',
      profile: 'minimal',
      unit: 's',
      min: 0,
      max: 10_000_000_000,
      decimals: 0,
      meaning: 'time since the host started',
      source: 'proc_uptime(5)',
    },
  ],
  open: (hostFiles) => () => {
    const [line = ''] = splitLines(hostFiles.read('proc/uptime'), 'proc/uptime');
    return { uptimeS: parseDecimal(line.split(' ', 1)[0], 'the first field of /proc/uptime') };
  },
};
