/**
 * Number of processes, from the numbered directories of /proc. With hidepid=2 or ProtectProc=invisible a user
 * sees only their own processes, so the key is absent if process 1 is not visible. The fourth field of
 * /proc/loadavg does not help, because it counts threads.
 */

import type { Collector } from '../runtime/collector.ts';

export const processes: Collector = {
  name: 'processes',
  catalogue: [
    {
      key: 'processCount',
      type: 'number',
      profile: 'full',
      unit: '',
      min: 1,
      max: 4_194_304,
      decimals: 0,
      meaning: 'processes, including zombies',
      source: 'proc(5), /proc/pid',
    },
  ],
  // Listing /proc is the most expensive round of all collectors.
  everyMs: 60_000,
  open: (hostFiles) => () => {
    let count = 0;
    let isInitVisible = false;
    for (const name of hostFiles.list('proc')) {
      if (!/^\d+$/.test(name)) continue;
      count += 1;
      if (name === '1') isInitVisible = true;
    }
    return isInitVisible ? { processCount: count } : {};
  },
};
