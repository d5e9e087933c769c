/**
 * Seconds since the kernel started, including time asleep; in most containers those of the host. Absent for
 * one sample if it is lower than before, which is no restart: the agent would have restarted too.
 */

import { ConfirmedCount } from '../devices/confirmed-count.ts';
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
  notes: [
    'A time that is lower than before is absent for one sample: it is no restart, which would restart the agent too.',
  ],
  open: (hostFiles, clock) => {
    // It jumps over the time asleep, which has no bound.
    const seconds = new ConfirmedCount(Number.POSITIVE_INFINITY);
    return () => {
      const [line = ''] = splitLines(hostFiles.read('proc/uptime'), 'proc/uptime');
      const uptime = parseDecimal(line.split(' ', 1)[0], 'the first field of /proc/uptime');
      return { uptimeS: seconds.next(uptime, clock.monotonicMs()) };
    };
  },
};
