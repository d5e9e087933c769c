/**
 * Processes: how many there are, counted as the numbered directories of /proc.
 *
 * Under hidepid=2, or ProtectProc=invisible in a unit, an ordinary user sees only his own processes, and the count would be a
 * plausible lie. Process 1 is somebody else's: when it is not to be seen, the key is absent. (The fourth field of
 * /proc/loadavg is no way out: it counts threads.) Listing /proc is the dearest of all rounds, hence once a minute.
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
