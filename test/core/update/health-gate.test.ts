/** The health gate: when a new version stays. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AgentHealth, type GateObservation, HealthGate } from '../../../src/core/update/health-gate.ts';

const limits = { withinMs: 600_000, steadyMs: 200_000 };
const before: AgentHealth = { process: 'old', pid: 1, hasCredentials: true, isAccepted: true };
const agent: AgentHealth = { process: 'new', pid: 2, hasCredentials: true, isAccepted: true };
const healthy: GateObservation = { agent, activeState: 'active', mainPid: 2, restarts: 0 };

const gate = (old = before) => new HealthGate('0.2.0', old, limits, 0);

test('a version stays when it is healthy for longer than the watchdog needs', () => {
  const watched = gate();
  assert.equal(watched.observe(healthy, 1_000).is, 'waiting');
  assert.equal(watched.observe(healthy, 200_999).is, 'waiting');
  assert.equal(watched.observe(healthy, 201_000).is, 'healthy');
});

test('a restart of the process begins the time again', () => {
  const watched = gate();
  watched.observe(healthy, 0);
  watched.observe(
    { ...healthy, agent: { ...agent, process: 'newer', pid: 3 }, mainPid: 3, restarts: 1 },
    199_000,
  );
  assert.equal(
    watched.observe({ ...healthy, agent: { ...agent, process: 'newer', pid: 3 }, mainPid: 3 }, 300_000).is,
    'waiting',
  );
});

test('the process of the old version and a status of another process do not count', () => {
  const old = gate();
  for (let ms = 0; ms < 600_000; ms += 100_000)
    assert.equal(old.observe({ ...healthy, agent: before, mainPid: 1 }, ms).is, 'waiting');
  const verdict = old.observe({ ...healthy, agent: before, mainPid: 1 }, 600_000);
  assert.match(verdict.is === 'unhealthy' ? verdict.reason : '', /version 0.2.0 did not run/);
  const other = gate();
  other.observe({ ...healthy, mainPid: 9 }, 0);
  assert.equal(other.observe({ ...healthy, mainPid: 9 }, 300_000).is, 'waiting');
});

test('missing credentials, telemetry or a start make it unhealthy at the end, with the reason', () => {
  const cases: readonly (readonly [Partial<GateObservation>, RegExp])[] = [
    [
      { agent: { ...agent, hasCredentials: false, detail: 'the disk is bad' } },
      /credentials \(the disk is bad\)/,
    ],
    [
      { agent: { ...agent, isAccepted: false } },
      /delivered no telemetry that the server accepted within 600 s/,
    ],
    [{ activeState: 'activating' }, /did not run \(activating, 0 restarts\)/],
  ];
  for (const [change, pattern] of cases) {
    const watched = gate();
    assert.equal(watched.observe({ ...healthy, ...change }, 0).is, 'waiting');
    const verdict = watched.observe({ ...healthy, ...change }, 600_000);
    assert.match(verdict.is === 'unhealthy' ? verdict.reason : '', pattern);
  }
});

test('three crashes make it unhealthy at once', () => {
  const verdict = gate().observe({ ...healthy, restarts: 3 }, 10_000);
  assert.match(verdict.is === 'unhealthy' ? verdict.reason : '', /ended by itself 3 times/);
});

test('what the old version did not have is not asked for', () => {
  const watched = gate({ hasCredentials: false, isAccepted: false });
  const offline = { ...healthy, agent: { ...agent, hasCredentials: false, isAccepted: false } };
  watched.observe(offline, 0);
  assert.equal(watched.observe(offline, 200_000).is, 'healthy');
});
