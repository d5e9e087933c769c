/** When the status report is published. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LossReport } from '../../../src/core/model/loss-report.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { SessionState } from '../../../src/core/session/state.ts';
import { EventHistory } from '../../../src/core/status/event-history.ts';
import { publishStatus } from '../../../src/core/status/publisher.ts';
import type { StatusReport } from '../../../src/core/status/report.ts';
import { Status } from '../../../src/core/status/status.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const DELIVERING: SessionState = {
  at: 'deliver',
  identity: { deviceName: 'gw-1', token: new Secret('QZ7QZ7QZ7') },
  failureCounts: {},
};

function harness() {
  const clock = new VirtualClock();
  const outbox = { fresh: { size: 0 }, backlog: { size: 0 }, losses: new LossReport() };
  const status = new Status({ clock, outbox });
  const shown: { readonly atMs: number; readonly report: StatusReport }[] = [];
  const sink = {
    publish: async (each: StatusReport) => void shown.push({ atMs: clock.monotonicMs(), report: each }),
  };
  const ports = { clock, outbox, status, sink, eventHistory: new EventHistory(clock) };
  const stop = new AbortController();
  const running = publishStatus(
    { ...ports, timestamper: { clockState: 'synchronised' } },
    { preferred: 'coap://s', inUse: () => 'coap://s' },
    stop.signal,
  );
  const end = async () => {
    stop.abort();
    await running;
  };
  return { clock, outbox, status, shown, end };
}

describe('publishing the report', () => {
  it('the report is published at most every ten seconds', async () => {
    const { clock, outbox, shown, end } = harness();
    for (let second = 0; second < 100; second += 1) {
      outbox.fresh.size += 1;
      await clock.advance(1_000);
    }
    assert.ok(shown.length >= 10 && shown.length <= 11, `${shown.length}`);
    await end();
  });

  it('an unchanged report is not published again', async () => {
    const { clock, shown, end } = harness();
    await clock.advance(3_600_000);
    assert.equal(shown.length, 1);
    await end();
  });

  it('a change of state is published at once, at most every two seconds', async () => {
    const { clock, status, shown, end } = harness();
    await clock.advance(5_000);
    for (let change = 0; change < 40; change += 1) {
      if (change % 2 === 0) status.start();
      else status.onStep({ type: 'delivered' }, DELIVERING);
      await clock.advance(250);
    }
    await clock.advance(2_000);
    const pauses = shown.slice(2).map(({ atMs }, index) => atMs - (shown[index + 1]?.atMs ?? 0));
    assert.ok(shown.length >= 5 && shown.length <= 8, `${shown.length}`);
    assert.ok(Math.min(...pauses) >= 2_000, `${pauses}`);
    await end();
  });
});

it('the report contains queued and lost readings and the clock state', async () => {
  const { clock, outbox, shown, end } = harness();
  outbox.fresh.size = 3;
  outbox.backlog.size = 720;
  outbox.losses.add({ readings: 2, reason: 'spool full' });
  await clock.advance(20_000);
  const { report: last } = shown.at(-1) ?? {};
  assert.deepEqual(
    [
      last?.state,
      last?.freshReadings,
      last?.backlogReadings,
      last?.lostReadings,
      last?.clock,
      last?.endpoint,
    ],
    ['starting', 3, 720, 2, 'synchronised', 'coap://s'],
  );
  await end();
});
