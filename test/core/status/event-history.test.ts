/** The chronicle: the last five, every count, and troubles until they are over. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Chronicle } from '../../../src/core/status/event-history.ts';

const chronicle = () => {
  const clock = { now: 0, bootMs: () => clock.now };
  return { clock, chronicle: new Chronicle(clock) };
};

it('keeps the last five events and the number of all', () => {
  const { chronicle: of, clock } = chronicle();
  for (clock.now = 1; clock.now <= 7; clock.now += 1) of.note('FL-SILENT', 'warn', `the ${clock.now}th`);
  assert.deepEqual(
    of.last.map(({ bootMs }) => bootMs),
    [3, 4, 5, 6, 7],
  );
  assert.deepEqual(of.counts, { 'FL-SILENT': 7 });
});

it('keeps a trouble open until what ends it is told, as it was told first', () => {
  const { chronicle: of, clock } = chronicle();
  of.note('FL-DISK-REFUSES', 'error', 'the disk refuses', 'ENOSPC');
  clock.now = 5;
  of.note('FL-DISK-REFUSES', 'error', 'the disk refuses', 'EIO');
  assert.deepEqual(
    of.open.map(({ event, seen, bootMs }) => [event, seen, bootMs]),
    [['FL-DISK-REFUSES', 'ENOSPC', 0]],
  );
  of.note('FL-DISK-BACK', 'info', 'the disk takes readings again');
  assert.deepEqual(of.open, []);
});

it('does not quote what was seen beyond its bound', () => {
  const { chronicle: of } = chronicle();
  of.note('FL-SILENT', 'warn', 'silent', 'x'.repeat(10_000));
  assert.equal(of.last[0]?.seen?.length, 200);
});
