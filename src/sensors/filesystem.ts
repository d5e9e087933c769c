/**
 * The root file system: bytes used, bytes an ordinary program may still write, and the share that is used.
 *
 * The share is counted as df does, used / (used + available), so the blocks reserved for root do not make a full disk look
 * 95 % full. Only the root is asked, never the list of mounts: one dead network mount would hold the call for ever. Even so
 * the call is asynchronous, and guard.ts does not repeat it before it has come back.
 */

import { type CatalogueEntry, type Collector, NonsenseError } from './collector.ts';

const BYTES_MAX = 2 ** 53;

export const filesystem: Collector = {
  name: 'filesystem',
  catalogue: [
    bytesEntry('diskRootUsedBytes', 'bytes used on the root file system'),
    bytesEntry('diskRootFreeBytes', 'bytes programs may still write to the root file system'),
    {
      key: 'diskRootUsedPercent',
      type: 'number',
      profile: 'minimal',
      unit: '%',
      min: 0,
      max: 100,
      decimals: 1,
      meaning: 'share of the root file system in use',
      source: 'statfs(2); df(1) for the formula',
    },
  ],
  open: (tree) => async () => {
    const { bsize, blocks, bfree, bavail } = await tree.use('/');
    const used = blocks - bfree;
    if (blocks <= 0 || used + bavail <= 0) throw new NonsenseError('the root file system has no size');
    return {
      diskRootUsedBytes: used * bsize,
      diskRootFreeBytes: bavail * bsize,
      diskRootUsedPercent: (100 * used) / (used + bavail),
    };
  },
};

function bytesEntry(key: string, meaning: string): CatalogueEntry {
  return {
    key,
    type: 'number',
    profile: 'default',
    unit: 'B',
    min: 0,
    max: BYTES_MAX,
    decimals: 0,
    meaning,
    source: 'statfs(2)',
  };
}
