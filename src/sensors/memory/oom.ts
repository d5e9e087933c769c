/**
 * Processes killed by the kernel because memory ran out. Absent before Linux 4.13. Read once a minute,
 * because the file is long.
 */

import { readOptionalLines } from '../files/optional-files.ts';
import { parseNatural } from '../files/parse.ts';
import type { Collector } from '../runtime/collector.ts';

const FIELD = 'oom_kill ';

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
  everyMs: 60_000,
  open: (hostFiles) => () => {
    const lines = readOptionalLines(hostFiles, 'proc/vmstat') ?? [];
    const line = lines.find((candidate) => candidate.startsWith(FIELD));
    return line === undefined
      ? {}
      : { oomKillCount: parseNatural(line.slice(FIELD.length), 'oom_kill of /proc/vmstat') };
  },
};
