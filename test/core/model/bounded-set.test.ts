/** BoundedSet replaces its oldest member. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BoundedSet } from '../../../src/core/model/bounded-set.ts';

it('a full bounded set replaces the oldest member', () => {
  const set = new BoundedSet<number>(3);
  for (const member of [1, 2, 3, 4, 5]) set.add(member);
  assert.deepEqual([...set], [3, 4, 5]);
});

it('a repeated member of a bounded set keeps its age', () => {
  const set = new BoundedSet<number>(2).add(1).add(2).add(1);
  assert.deepEqual([...set], [1, 2]);
  assert.deepEqual([...set.add(3)], [2, 3]);
});
