/** A polled number: when it is read, and its value in between. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PolledNumber } from '../../../src/host/process/polled-number.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

it('a polled number is read at once and every five minutes, and kept in between', async () => {
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

it('a polled number keeps its value over a stop, and can run again', async () => {
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
