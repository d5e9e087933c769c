/** The health of an agent, from its status file as it is and from others. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthOf, parseTimeSpan } from '../../../src/update/install/host-agent-service.ts';

const now = { bootId: 'this-boot', bootMs: 10_000_000 };
const status = {
  version: 2,
  agent: { version: '0.1.0', pid: 7, startTicks: 99, bootId: 'this-boot' },
  report: { state: 'online', credentials: 'stored', lastAcceptedBootMs: 9_999_000 },
};
const of = (value: unknown) => healthOf(JSON.stringify(value), now);

test('an agent that is online has credentials and is accepted', () => {
  assert.deepEqual(of(status), {
    process: 'this-boot 7 99',
    pid: 7,
    hasCredentials: true,
    isAccepted: true,
  });
});

test('a status of another version of the format is read as well', () => {
  assert.equal(of({ ...status, version: 3, more: {} }).isAccepted, true);
});

test('telemetry of more than an hour ago, or none, does not count', () => {
  const at = (lastAcceptedBootMs?: number) =>
    of({ ...status, report: { ...status.report, lastAcceptedBootMs } });
  assert.equal(at(now.bootMs - 3_600_001).isAccepted, false);
  assert.equal(at(undefined).isAccepted, false);
});

test('a status of another boot, of an ended agent, and no status show no process', () => {
  assert.equal(of({ ...status, agent: { ...status.agent, bootId: 'other' } }).process, undefined);
  const ended = of({ ...status, ending: { reasons: [{ message: 'a setting\nis wrong' }] } });
  assert.deepEqual(ended, { hasCredentials: false, isAccepted: false, detail: 'a setting?is wrong' });
  for (const text of [undefined, '', '[]', '{"agent":1}', 'x'])
    assert.equal(healthOf(text, now).process, undefined);
});

test('time spans of systemctl are understood', () => {
  assert.equal(parseTimeSpan('3min'), 180_000);
  assert.equal(parseTimeSpan('1min 30s'), 90_000);
  assert.equal(parseTimeSpan('500ms'), 500);
  assert.equal(parseTimeSpan('infinity'), undefined);
});
