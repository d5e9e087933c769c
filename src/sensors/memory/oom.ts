/**
 * Processes killed by the kernel because memory ran out. Absent before Linux 4.13, and for one round if it is
 * lower than before (confirmed-count.ts). Read once a minute, because the file is long.
 */

import { ConfirmedCount } from '../devices/confirmed-count.ts';
import { readOptionalLines } from '../files/optional-files.ts';
import { parseNatural } from '../files/parse.ts';
import type { Collector } from '../runtime/collector.ts';

const FIELD = 'oom_kill ';
/** It takes longer to end a process and free its memory. */
const KILLS_PER_S_MAX = 1000;

export const oom: Collector = {
  name: 'oom',
  catalogue: [
    {
      key: 'oomKillCount',
      type: 'number',
      profile: 'default',
      unit: '',
      min: 0,
      max: 2 ** 32,
      decimals: 0,
      meaning: 'processes killed by the kernel because memory ran out, since the host started',
      source: 'proc_vmstat(5); mm/vmstat.c, oom_kill',
    },
  ],
  notes: [
    'The number is absent for one sample if it is lower than before: a counter can be wrong for one sample, and the next one decides.',
  ],
  everyMs: 60_000,
  open: (hostFiles, clock) => {
    const kills = new ConfirmedCount(KILLS_PER_S_MAX);
    return () => {
      const lines = readOptionalLines(hostFiles, 'proc/vmstat') ?? [];
      const line = lines.find((candidate) => candidate.startsWith(FIELD));
      if (line === undefined) return {};
      const count = parseNatural(line.slice(FIELD.length), 'oom_kill of /proc/vmstat');
      return { oomKillCount: kills.next(count, clock.monotonicMs()) };
    };
  },
};
