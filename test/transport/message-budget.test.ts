/** The limit of messages from the server. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageBudget } from '../../src/transport/message-budget.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';

test('a burst of 32 messages is allowed, then four a second', async () => {
  const clock = new VirtualClock();
  let exhausted = 0;
  const budget = new MessageBudget(clock, () => {
    exhausted += 1;
  });
  const takeAll = () => {
    let taken = 0;
    while (budget.take()) taken += 1;
    return taken;
  };
  assert.equal(takeAll(), 32);
  assert.equal(exhausted, 1);
  await clock.advance(1_000);
  assert.equal(takeAll(), 4);
  assert.equal(budget.waitMs, 250);
  await clock.advance(3_600_000);
  assert.equal(takeAll(), 32);
});
