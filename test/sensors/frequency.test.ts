/** Frequency: a group of CPUs that is switched off costs the others nothing. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { frequency } from '../../src/sensors/frequency.ts';
import { openSampler } from '../../src/sensors/sampler.ts';
import { openTree, type Tree } from '../../src/sensors/tree.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';
import { JournalDouble } from './captured-host.ts';

it('CPUs that are switched off have no frequency, the others theirs, and nobody complains', async () => {
  const tree: Tree = {
    ...openTree('/nowhere'),
    list: () => ['policy0', 'policy4'],
    read: (path) => {
      if (path.includes('policy0')) return '1500000\n';
      throw Object.assign(new Error('EBUSY: resource busy or locked, read'), { code: 'EBUSY' });
    },
  };
  const journal = new JournalDouble();
  const sampler = openSampler([frequency], tree, new VirtualClock(), journal);
  assert.deepEqual(await sampler.sample(), { cpu0FrequencyMHz: 1500 });
  assert.deepEqual(journal.lines, []);
});
