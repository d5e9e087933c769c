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
    publish: (each: StatusReport) => void shown.push({ atMs: clock.monotonicMs(), report: each }),
  };
  const eventHistory = new EventHistory(clock);
  const ports = { clock, outbox, status, sink, eventHistory };
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
  return { clock, outbox, status, eventHistory, shown, end };
}

describe('publishing the report', () => {
  it('numbers are published at most every ten seconds before the agent is online', async () => {
    const { clock, outbox, shown, end } = harness();
    for (let second = 0; second < 100; second += 1) {
      outbox.fresh.size += 1;
      await clock.advance(1_000);
    }
    assert.ok(shown.length >= 10 && shown.length <= 11, `${shown.length}`);
    await end();
  });

  it('numbers are published at most every minute online, with the time of the report', async () => {
    const { clock, status, shown, end } = harness();
    status.onStep({ type: 'delivered' }, DELIVERING);
    await clock.advance(5_000);
    const before = shown.length;
    for (let second = 0; second < 600; second += 1) {
      status.onStep({ type: 'delivered' }, DELIVERING);
      await clock.advance(1_000);
    }
    assert.ok(shown.length - before >= 9 && shown.length - before <= 10, `${shown.length - before}`);
    for (const { atMs, report } of shown) {
      assert.equal(report.asOfBootMs, Math.round(clock.bootMs() - (clock.monotonicMs() - atMs)));
    }
    await end();
  });

  it('an event is published at once while the agent is online', async () => {
    const { clock, status, eventHistory, shown, end } = harness();
    status.onStep({ type: 'delivered' }, DELIVERING);
    await clock.advance(10_000);
    const before = shown.length;
    eventHistory.record('FL-READINGS-LOST', 'warn', 'readings were lost');
    await clock.advance(10);
    assert.equal(shown.length, before + 1);
    assert.equal(shown.at(-1)?.report.recentEvents.at(-1)?.event, 'FL-READINGS-LOST');
    await end();
  });

  it('no subscription to the events outlives the publisher', async () => {
    const { clock, eventHistory, shown, end } = harness();
    await clock.advance(10_000);
    await end();
    const before = shown.length;
    eventHistory.record('FL-READINGS-LOST', 'warn', 'readings were lost');
    await clock.advance(60_000);
    assert.equal(shown.length, before);
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

it('the end publishes the last numbers', async () => {
  const { clock, outbox, shown, end } = harness();
  await clock.advance(2_500);
  outbox.fresh.size = 7;
  await end();
  assert.equal(shown.at(-1)?.report.freshReadings, 7);
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
