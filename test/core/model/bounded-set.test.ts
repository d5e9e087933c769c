/** A set that forgets its oldest member for the newest. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BoundedSet } from '../../../src/core/model/bounded-set.ts';

it('a full set forgets the oldest member for a new one', () => {
  const set = new BoundedSet<number>(3);
  for (const member of [1, 2, 3, 4, 5]) set.add(member);
  assert.deepEqual([...set], [3, 4, 5]);
});

it('a member that is added again takes no place and stays as old as it is', () => {
  const set = new BoundedSet<number>(2).add(1).add(2).add(1);
  assert.deepEqual([...set], [1, 2]);
  assert.deepEqual([...set.add(3)], [2, 3]);
});
