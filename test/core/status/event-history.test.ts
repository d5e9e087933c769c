/** The event history: the last five events, all counts, and open problems. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { EventHistory } from '../../../src/core/status/event-history.ts';

const eventHistory = () => {
  const clock = { now: 0, bootMs: () => clock.now };
  return { clock, eventHistory: new EventHistory(clock) };
};

it('the event history keeps the last five events and all counts', () => {
  const { eventHistory: of, clock } = eventHistory();
  for (clock.now = 1; clock.now <= 7; clock.now += 1)
    of.record('FL-SERVER-TIMEOUT', 'warn', `the ${clock.now}th`);
  assert.deepEqual(
    of.recent.map(({ bootMs }) => bootMs),
    [3, 4, 5, 6, 7],
  );
  assert.deepEqual(of.counts, { 'FL-SERVER-TIMEOUT': 7 });
});

it('the event history keeps a problem open, as first logged, until its end event', () => {
  const { eventHistory: of, clock } = eventHistory();
  of.record('FL-DISK-WRITE-FAILED', 'error', 'the disk fails', 'ENOSPC');
  clock.now = 5;
  of.record('FL-DISK-WRITE-FAILED', 'error', 'the disk fails', 'EIO');
  assert.deepEqual(
    of.active.map(({ event, detail, bootMs }) => [event, detail, bootMs]),
    [['FL-DISK-WRITE-FAILED', 'ENOSPC', 0]],
  );
  of.record('FL-DISK-WRITE-RESTORED', 'info', 'queued readings can be written to disk again');
  assert.deepEqual(of.active, []);
});

it('the event history shortens long details', () => {
  const { eventHistory: of } = eventHistory();
  of.record('FL-SERVER-TIMEOUT', 'warn', 'server-timeout', 'x'.repeat(10_000));
  assert.equal(of.recent[0]?.detail?.length, 200);
});
