/** The event history: the last ten events, each once, all counts, and open problems. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { EVENTS, type EventId } from '../../../src/core/events/catalogue.ts';
import { EventHistory } from '../../../src/core/status/event-history.ts';

const eventHistory = () => {
  const clock = { now: 0, bootMs: () => clock.now };
  return { clock, eventHistory: new EventHistory(clock) };
};

it('the event history keeps the last ten events and all counts', () => {
  const { eventHistory: of, clock } = eventHistory();
  const ids = (Object.keys(EVENTS) as EventId[]).slice(0, 12);
  for (const [index, id] of ids.entries()) {
    clock.now = index;
    of.record(id, 'warn', `the ${index}th`);
  }
  assert.deepEqual(
    of.recent.map(({ bootMs }) => bootMs),
    [2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  );
  assert.equal(Object.keys(of.counts).length, 12);
});

it('an event that repeats has its latest occurrence and pushes no other one away', () => {
  const { eventHistory: of, clock } = eventHistory();
  of.record('FL-CREDENTIALS-FOUND', 'info', 'found');
  for (clock.now = 1; clock.now <= 30; clock.now += 1) {
    of.record('FL-SERVER-TIMEOUT', 'warn', 'no answer', `attempt ${clock.now}`);
    of.record('FL-SERVER-REACHABLE', 'info', 'reachable');
  }
  assert.deepEqual(
    of.recent.map(({ event, detail, bootMs }) => [event, detail, bootMs]),
    [
      ['FL-CREDENTIALS-FOUND', undefined, 0],
      ['FL-SERVER-TIMEOUT', 'attempt 30', 30],
      ['FL-SERVER-REACHABLE', undefined, 30],
    ],
  );
  assert.equal(of.counts['FL-SERVER-TIMEOUT'], 30);
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
