/**
 * Open file handles of the host, and their share of the limit. A program that leaks file handles shows here
 * weeks before no file can be opened.
 */

import { readOptionalLines } from '../files/optional-files.ts';
import { parseNatural } from '../files/parse.ts';
import type { Collector } from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';

const UNLIMITED = '9223372036854775807';
const SOURCE = 'Documentation/admin-guide/sysctl/fs.rst, file-nr';

export const fileHandles: Collector = {
  name: 'handles',
  catalogue: [
    {
      key: 'fileHandleCount',
      type: 'number',
      profile: 'full',
      unit: '',
      min: 0,
      max: 2 ** 53,
      decimals: 0,
      meaning: 'open file handles on the host',
      source: SOURCE,
    },
    {
      key: 'fileHandleUsedPercent',
      type: 'number',
      profile: 'full',
      unit: '%',
      min: 0,
      max: 100,
      decimals: 1,
      meaning: 'share of the limit of open file handles on the host; absent if no limit is set',
      source: SOURCE,
    },
  ],
  open: (hostFiles) => () => {
    const lines = readOptionalLines(hostFiles, 'proc/sys/fs/file-nr');
    if (lines === undefined) return {};
    const [allocated, unused, maximum] = (lines[0] ?? '').split(/\s+/);
    const inUse =
      parseNatural(allocated, 'the first field of file-nr') -
      parseNatural(unused, 'the second field of file-nr');
    const read = new PartialRead();
    read.values['fileHandleCount'] = inUse;
    read.attemptValue('limit', 'fileHandleUsedPercent', () => {
      // Without a limit the kernel reports 2^63-1, which a double cannot hold.
      const limit = maximum === UNLIMITED ? undefined : parseNatural(maximum, 'the third field of file-nr');
      return limit ? (100 * inUse) / limit : undefined;
    });
    return read.result();
  },
};
