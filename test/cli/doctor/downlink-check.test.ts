/** The check of the downlink, from the status of the agent. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { downlinkCheck } from '../../../src/cli/doctor/downlink-check.ts';
import type { DownlinkJson } from '../../../src/cli/status/json.ts';

const LISTENING: DownlinkJson = { state: 'listening', stateForS: 7_200, lastHeardAgoS: 90, detail: null };

async function resultOf(downlink: DownlinkJson | null, running = true) {
  return downlinkCheck({ running, downlink }).run(new AbortController().signal);
}

test('the downlink check is skipped without a running agent or a subscription to wait for', async () => {
  assert.deepEqual(await resultOf(LISTENING, false), {
    status: 'skip',
    observed: 'the agent is not running',
  });
  const off = 'off: the agent listens to neither shared attributes nor commands';
  assert.deepEqual(await resultOf(null), { status: 'skip', observed: off });
  assert.deepEqual(await resultOf({ ...LISTENING, state: 'off' }), { status: 'skip', observed: off });
  const waiting = await resultOf({ ...LISTENING, state: 'waiting', stateForS: 60, lastHeardAgoS: null });
  assert.deepEqual(waiting, { status: 'skip', observed: 'waiting for accepted telemetry for 1 min' });
});

test('the downlink check passes and names how long the agent listens and when it heard the server', async () => {
  const result = await resultOf(LISTENING);
  assert.deepEqual(result, { status: 'pass', observed: 'listening for 2 h, last heard 1 min 30 s ago' });
});

test('the downlink check fails with meaning and action without a subscription', async () => {
  const result = await resultOf({ ...LISTENING, state: 'failing', detail: 'no answer within 45 s' });
  assert.equal(result.status, 'fail');
  assert.equal(result.observed, 'no subscription for 2 h, last heard 1 min 30 s ago (no answer within 45 s)');
  const { meaning, action } = result.status === 'fail' ? result : { meaning: '', action: '' };
  assert.match(meaning, /shared attributes and commands of the server do not reach it/);
  assert.match(action, /^check the proxies and firewalls/);
});
