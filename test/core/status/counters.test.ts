/** What the agent counts of its own work, over the loops that begin anew at each reload. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runLoops } from '../../../src/agent/agent.ts';
import { Tally } from '../../../src/core/status/counters.ts';
import { Chronicle } from '../../../src/core/status/event-history.ts';
import type { StatusReport } from '../../../src/core/status/report.ts';
import { PROVISIONED, World } from '../../agent/agent-harness.ts';

it('before anything was sent nothing is delivered, and how far the server is nobody knows', () => {
  const tally = new Tally();
  assert.deepEqual([tally.delivered, tally.roundTripMs], [0, undefined]);
});

it('loops that begin anew go on counting what was delivered, and the status says so', async () => {
  const tally = new Tally();
  const world = new World(undefined, PROVISIONED);
  const shown: StatusReport[] = [];
  const board = {
    status: { show: async (report: StatusReport) => void shown.push(report) },
    chronicle: new Chronicle(world.clock),
  };
  for (let stint = 0; stint < 2; stint += 1) {
    const stop = new AbortController();
    const running = runLoops({ ...world, tally, board }, world.settings, stop.signal);
    await world.clock.advance(25_000);
    stop.abort();
    await running;
  }
  assert.ok(tally.delivered > 3);
  assert.equal(tally.delivered, world.deliveredS.length);
  assert.equal(shown.at(-1)?.delivered, tally.delivered);
});

it('the last round trip is the one that counts', () => {
  const tally = new Tally();
  for (const ms of [40, 900, 60]) tally.heard(ms);
  assert.equal(tally.roundTripMs, 60);
});
