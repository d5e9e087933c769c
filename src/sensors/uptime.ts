/**
 * Uptime: seconds since the kernel started, time asleep included. In most containers it is the host's, not the container's.
 */

import type { Collector } from './collector.ts';
import { decimal } from './parse.ts';

export const uptime: Collector = {
  name: 'uptime',
  catalogue: [
    {
      key: 'uptimeS',
      type: 'number',
      profile: 'default',
      unit: 's',
      min: 0,
      max: 10_000_000_000,
      decimals: 0,
      meaning: 'time since the host started',
      source: 'proc_uptime(5)',
    },
  ],
  open: (tree) => () => ({
    uptimeS: decimal(tree.read('proc/uptime').split(' ', 1)[0], 'the first field of /proc/uptime'),
  }),
};
