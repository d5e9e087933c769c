/** The two loops: sampling keeps its interval whatever the server does, and both end together. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { type AgentPorts, runAgent } from '../../src/agent/agent.ts';
import { Secret } from '../../src/core/model/secret.ts';
import type { CredentialRecord } from '../../src/core/ports/credentials.ts';
import { settled } from '../core/delivery/delivery-harness.ts';
import { AgentHarness, PROVISIONED, portsOf, slow } from './agent-harness.ts';

describe('sampling', () => {
  it('continues while a request gets no response, and loses nothing', async () => {
    const harness = new AgentHarness(() => 'never', PROVISIONED);
    await harness.runFor(60_000);
    assert.deepEqual(await harness.waitingSeconds(), [0, 10, 20, 30, 40, 50, 60]);
    assert.ok(harness.transport.calls.length <= 2);
  });

  it('continues while the first boot cannot provision; all readings arrive later', async () => {
    const harness = new AgentHarness((call) => {
      if (call.verb === 'probe') return 'not-ours';
      return call.verb === 'provision' && harness.clock.monotonicMs() < 45_000 ? 'server-timeout' : 'ok';
    });
    await harness.runFor(200_000);
    assert.deepEqual(
      harness.deliveredSeconds,
      Array.from({ length: 21 }, (_, beat) => beat * 10),
    );
  });

  it('continues while the store is broken, and no request is sent', async () => {
    const harness = new AgentHarness();
    harness.store.broken = Object.assign(new Error('the disk is full'), { name: 'StoreError' });
    await harness.runFor(30_000);
    assert.deepEqual(await harness.waitingSeconds(), [0, 10, 20, 30]);
    assert.deepEqual(harness.transport.calls, []);
  });

  it('reports every value of every sample with report = "all"', async () => {
    const harness = new AgentHarness(() => 'ok', PROVISIONED);
    harness.sensors = { sample: async () => ({ cpuUsePercent: 1, load1: 2 }) };
    harness.settings = { ...harness.settings, report: 'all' };
    await harness.runFor(30_000);
    assert.deepEqual(harness.deliveredSeconds, [0, 10, 20, 30]);
    for (const body of harness.transport.telemetry) assert.match(body, /"cpuUsePercent":1,"load1":2/);
  });

  it('reports only the first of two equal samples with report = "changes"', async () => {
    const harness = new AgentHarness(() => 'ok', PROVISIONED);
    harness.sensors = { sample: async () => ({ cpuUsePercent: 1, load1: 2 }) };
    harness.settings = { ...harness.settings, report: 'changes' };
    await harness.runFor(30_000);
    assert.deepEqual(harness.deliveredSeconds, [0]);
  });

  it('stays on its grid although each sample takes three seconds', async () => {
    const harness = new AgentHarness(() => 'never', PROVISIONED);
    harness.sensors = slow(harness.clock, 3_000);
    await harness.runFor(39_000);
    assert.deepEqual(await harness.waitingSeconds(), [0, 10, 20, 30]);
  });

  it('skips the beats that a long sample missed', async () => {
    const harness = new AgentHarness(() => 'never', PROVISIONED);
    harness.sensors = slow(harness.clock, 25_000);
    await harness.runFor(88_000);
    assert.deepEqual(await harness.waitingSeconds(), [0, 30, 60]);
  });

  it('takes no beat twice if a timer fires a fraction early', async () => {
    const harness = new AgentHarness(() => 'never', PROVISIONED);
    const { clock } = harness;
    const early: AgentPorts['clock'] = {
      bootId: clock.bootId,
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      bootMs: () => clock.bootMs(),
      sleep: (ms, signal) => clock.sleep(ms - 0.4, signal),
    };
    const running = runAgent({ ...portsOf(harness), clock: early }, harness.settings, harness.stop.signal);
    await clock.advance(40_000);
    harness.stop.abort();
    await running;
    assert.equal(harness.outbox.size, 5);
  });

  it('keeps interval and timestamps after an unconfirmed step of the wall clock', async () => {
    const harness = new AgentHarness(() => 'never', PROVISIONED);
    const running = harness.run();
    await harness.clock.advance(10_000);
    harness.clock.stepWall(3_600_000);
    await harness.clock.advance(20_000);
    harness.stop.abort();
    await running;
    assert.deepEqual(await harness.waitingSeconds(), [0, 10, 20, 30]);
  });

  it('logs an empty sample once as an error and continues', async () => {
    const harness = new AgentHarness(undefined, PROVISIONED);
    let beats = 0;
    harness.sensors = { sample: async () => (++beats < 4 ? {} : { cpuPercent: beats }) };
    await harness.runFor(50_000);
    assert.deepEqual(harness.deliveredSeconds, [30, 40, 50]);
    assert.equal(harness.log.withMessage(/no sensor of this host can be read/).length, 1);
  });
});

describe('the session', () => {
  it('provisions at the first boot, then delivers the first reading', async () => {
    const harness = new AgentHarness();
    await harness.runFor(0);
    assert.deepEqual(
      harness.transport.calls.map(({ verb }) => verb),
      ['provision', 'postTelemetry'],
    );
    assert.deepEqual(harness.deliveredSeconds, [0]);
    assert.equal(harness.store.record?.state, 'provisioned');
  });

  it('delivers each reading when it is taken, not a beat later', async () => {
    const harness = new AgentHarness(undefined, PROVISIONED);
    const running = harness.run();
    await harness.clock.advance(20_000);
    assert.deepEqual(harness.deliveredSeconds, [0, 10, 20]);
    harness.stop.abort();
    await running;
  });

  it('logs the start of a day offline, each hour of it, and its end', async () => {
    const dayMs = 86_400_000;
    const harness = new AgentHarness(
      () => (harness.clock.monotonicMs() < dayMs ? 'no-route' : 'ok'),
      PROVISIONED,
    );
    await harness.runFor(dayMs + 200_000);
    const logged = harness.log.logged.map(({ message }) => message.split(':')[0]);
    const reminders = logged.filter((message) => message === 'there is no route to the server').length - 1;
    assert.ok(reminders >= 20 && reminders <= 24, `${reminders} reminders`);
    assert.deepEqual(
      [...new Set(logged)],
      [
        'the clock is synchronised; new and queued readings have timestamps',
        'credentials found',
        'there is no route to the server',
        'first telemetry accepted',
        'the server responds again',
        'the backlog has been delivered',
      ],
    );
    assert.equal(harness.outbox.size, 0);
  });
});

describe('the spread of a fleet', () => {
  const spread = (record?: CredentialRecord) => {
    const harness = new AgentHarness(undefined, record);
    harness.settings = { ...harness.settings, spreadMs: 60_000 };
    return harness;
  };

  it('delays the first request by a random share while sampling continues', async () => {
    for (const record of [PROVISIONED, undefined]) {
      const harness = spread(record);
      const running = harness.run();
      await harness.clock.advance(29_999);
      assert.deepEqual(harness.calls, []);
      assert.equal(harness.outbox.size, 4);
      await harness.clock.advance(1);
      assert.equal(harness.calls[0], 'store read');
      assert.deepEqual(harness.deliveredSeconds, [0, 7.5, 17.5, 27.5]);
      harness.stop.abort();
      await running;
    }
  });

  it('also delays a configured token', async () => {
    const harness = spread();
    harness.settings = { ...harness.settings, token: new Secret('given-by-the-operator') };
    const running = harness.run();
    await harness.clock.advance(29_999);
    assert.deepEqual(harness.calls, []);
    await harness.clock.advance(1);
    assert.deepEqual(new Set(harness.calls), new Set(['transport postTelemetry']));
    harness.stop.abort();
    await running;
  });

  it('delays only the first request', async () => {
    const harness = spread();
    await harness.runFor(30_000);
    assert.equal(harness.store.record?.state, 'provisioned');
    assert.deepEqual(harness.deliveredSeconds, [0, 7.5, 17.5, 27.5]);
  });

  it('ends with an abort: nothing is sent, written or left behind', async () => {
    const harness = spread();
    await harness.runFor(10_000);
    assert.deepEqual(harness.transport.calls, []);
    assert.equal(harness.store.record, undefined);
    assert.equal(harness.clock.sleeping, 0);
    assert.equal(getEventListeners(harness.stop.signal, 'abort').length, 0);
  });
});

describe('the end of the agent', () => {
  const MOMENTS: readonly (readonly [when: string, make: () => AgentHarness])[] = [
    ['a request is under way', () => new AgentHarness(() => 'never', PROVISIONED)],
    ['the first request is under way', () => new AgentHarness(() => 'never')],
    ['a wait after a refusal', () => new AgentHarness(() => 'provisioning-key-unknown', PROVISIONED)],
    ['everything is delivered', () => new AgentHarness(undefined, PROVISIONED)],
  ];
  for (const [when, make] of MOMENTS) {
    it(`an abort while ${when} ends both loops without a sleeper or listener`, async () => {
      const harness = make();
      await harness.runFor(15_000);
      assert.equal(harness.clock.sleeping, 0);
      assert.equal(getEventListeners(harness.stop.signal, 'abort').length, 0);
    });
  }

  it('an abort logs no failure', async () => {
    const harness = new AgentHarness(() => 'never', PROVISIONED);
    await harness.runFor(15_000);
    assert.deepEqual(
      harness.log.logged.map(({ message }) => message),
      ['the clock is synchronised; new and queued readings have timestamps', 'credentials found'],
    );
  });

  it('an already aborted signal ends before the first request', async () => {
    const harness = new AgentHarness(undefined, PROVISIONED);
    harness.stop.abort();
    await harness.run();
    assert.deepEqual(harness.transport.calls, []);
  });
});

describe('a port that throws ends both loops and rejects with its error', () => {
  const bug = new TypeError('x is not a function');

  it('a sensor, while a request gets no response', async () => {
    const harness = new AgentHarness(() => 'never', PROVISIONED);
    harness.sensors = { sample: () => Promise.reject(bug) };
    await assert.rejects(harness.run(), (error) => error === bug);
    assert.equal(harness.clock.sleeping, 0);
  });

  it('the store, before the next sample', async () => {
    const harness = new AgentHarness();
    harness.store.broken = bug;
    await assert.rejects(harness.run(), (error) => error === bug);
    assert.equal(harness.clock.sleeping, 0);
  });

  it('the transport, after hours of operation', async () => {
    const harness = new AgentHarness(() => {
      if (harness.clock.monotonicMs() > 7_200_000) throw bug;
      return 'ok';
    }, PROVISIONED);
    const ended = assert.rejects(harness.run(), (error) => error === bug);
    await harness.clock.advance(7_300_000);
    await ended;
    await settled();
    assert.equal(harness.clock.sleeping, 0);
    assert.equal(harness.stop.signal.aborted, false);
  });
});
