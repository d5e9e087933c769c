/** A number that is asked for beside the sampling: when, and what is known in between. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PolledNumber } from '../../../src/host/process/polled-number.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

it('it is asked for at once and every five minutes, known in between, and gone with the answer', async () => {
  const clock = new VirtualClock();
  const answers = [3, undefined, 0];
  let pollCount = 0;
  const number = new PolledNumber(async () => answers[pollCount++], clock);
  assert.equal(number.last, undefined);
  const stop = new AbortController();
  const running = number.run(stop.signal);
  for (const expected of answers) {
    await clock.advance(1);
    assert.equal(number.last, expected);
    await clock.advance(299_998);
    assert.equal(number.last, expected);
    await clock.advance(1);
  }
  stop.abort();
  await running;
  assert.equal(pollCount, 4);
});

it('it can be kept again after a stop, and is known meanwhile', async () => {
  const clock = new VirtualClock();
  let pollCount = 0;
  const number = new PolledNumber(async () => ++pollCount, clock);
  for (const expected of [1, 2]) {
    const stop = new AbortController();
    const running = number.run(stop.signal);
    await clock.advance(1);
    stop.abort();
    await running;
    assert.equal(number.last, expected);
  }
  await number.run(AbortSignal.abort());
  assert.equal(number.last, 2);
});
