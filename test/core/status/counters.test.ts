/** The delivery counters over reloads. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runLoops } from '../../../src/agent/agent.ts';
import { DeliveryCounters } from '../../../src/core/status/counters.ts';
import { EventHistory } from '../../../src/core/status/event-history.ts';
import type { StatusReport } from '../../../src/core/status/report.ts';
import { AgentHarness, PROVISIONED } from '../../agent/agent-harness.ts';

it('before the first request nothing is delivered and no round trip is known', () => {
  const counters = new DeliveryCounters();
  assert.deepEqual([counters.delivered, counters.roundTripMs], [0, undefined]);
});

it('the delivered counter and the status continue after a reload', async () => {
  const counters = new DeliveryCounters();
  const harness = new AgentHarness(undefined, PROVISIONED);
  const shown: StatusReport[] = [];
  const board = {
    sink: { publish: (report: StatusReport) => void shown.push(report) },
    eventHistory: new EventHistory(harness.clock),
  };
  for (let instance = 0; instance < 2; instance += 1) {
    const stop = new AbortController();
    const running = runLoops({ ...harness, counters, statusOutput: board }, harness.settings, stop.signal);
    await harness.clock.advance(25_000);
    stop.abort();
    await running;
  }
  assert.ok(counters.delivered > 3);
  assert.equal(counters.delivered, harness.deliveredSeconds.length);
  assert.equal(shown.at(-1)?.deliveredReadings, counters.delivered);
});

it('the last round trip is reported', () => {
  const counters = new DeliveryCounters();
  for (const ms of [40, 900, 60]) counters.recordRoundTrip(ms);
  assert.equal(counters.roundTripMs, 60);
});
