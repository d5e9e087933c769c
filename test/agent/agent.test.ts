/** The two loops: sampling keeps its beat whatever the server does, and both end together. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { type AgentPorts, runAgent } from '../../src/agent/agent.ts';
import { Secret } from '../../src/core/model/secret.ts';
import type { CredentialRecord } from '../../src/core/ports/credentials.ts';
import { settled } from '../core/delivery/delivery-harness.ts';
import { PROVISIONED, portsOf, slow, World } from './agent-harness.ts';

describe('sampling', () => {
  it('goes on while a request is never answered, and loses nothing', async () => {
    const world = new World(() => 'never', PROVISIONED);
    await world.runFor(60_000);
    assert.deepEqual(await world.waitingS(), [0, 10, 20, 30, 40, 50, 60]);
    assert.ok(world.transport.calls.length <= 2);
  });

  it('goes on while the first boot cannot provision, and all of it arrives once it can', async () => {
    const world = new World((call) => {
      if (call.verb === 'probe') return 'not-ours';
      return call.verb === 'provision' && world.clock.monotonicMs() < 45_000 ? 'silent' : 'ok';
    });
    await world.runFor(200_000);
    assert.deepEqual(
      world.deliveredS,
      Array.from({ length: 21 }, (_, beat) => beat * 10),
    );
  });

  it('goes on while the store is broken, and nothing is asked of the server', async () => {
    const world = new World();
    world.store.broken = Object.assign(new Error('the disk is full'), { name: 'StoreError' });
    await world.runFor(30_000);
    assert.deepEqual(await world.waitingS(), [0, 10, 20, 30]);
    assert.deepEqual(world.transport.calls, []);
  });

  it('stays on the grid it began on, though each sample takes three seconds', async () => {
    const world = new World(() => 'never', PROVISIONED);
    world.sensors = slow(world.clock, 3_000);
    await world.runFor(39_000);
    assert.deepEqual(await world.waitingS(), [0, 10, 20, 30]);
  });

  it('leaves out the beats that a long sample missed, and does not make up for them', async () => {
    const world = new World(() => 'never', PROVISIONED);
    world.sensors = slow(world.clock, 25_000);
    await world.runFor(88_000);
    assert.deepEqual(await world.waitingS(), [0, 30, 60]);
  });

  it('never takes the same beat twice when a timer fires a fraction early', async () => {
    const world = new World(() => 'never', PROVISIONED);
    const { clock } = world;
    const early: AgentPorts['clock'] = {
      bootId: clock.bootId,
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      bootMs: () => clock.bootMs(),
      sleep: (ms, signal) => clock.sleep(ms - 0.4, signal),
    };
    const running = runAgent({ ...portsOf(world), clock: early }, world.settings, world.stop.signal);
    await clock.advance(40_000);
    world.stop.abort();
    await running;
    assert.equal(world.outbox.size, 5);
  });

  it('keeps its beat and its dates when the wall clock is stepped and no time service did it', async () => {
    const world = new World(() => 'never', PROVISIONED);
    const running = world.run();
    await world.clock.advance(10_000);
    world.clock.stepWall(3_600_000);
    await world.clock.advance(20_000);
    world.stop.abort();
    await running;
    assert.deepEqual(await world.waitingS(), [0, 10, 20, 30]);
  });

  it('of nothing is no reading: it is told once as an error, and sampling goes on', async () => {
    const world = new World(undefined, PROVISIONED);
    let beats = 0;
    world.sensors = { sample: async () => (++beats < 4 ? {} : { cpuPercent: beats }) };
    await world.runFor(50_000);
    assert.deepEqual(world.deliveredS, [30, 40, 50]);
    assert.equal(world.log.saying(/no sensor of this host can be read/).length, 1);
  });
});

describe('conversing', () => {
  it('a first boot provisions, then delivers the reading of its very start', async () => {
    const world = new World();
    await world.runFor(0);
    assert.deepEqual(
      world.transport.calls.map(({ verb }) => verb),
      ['provision', 'postTelemetry'],
    );
    assert.deepEqual(world.deliveredS, [0]);
    assert.equal(world.store.record?.state, 'provisioned');
  });

  it('each reading is delivered when it is taken, not a beat later', async () => {
    const world = new World(undefined, PROVISIONED);
    const running = world.run();
    await world.clock.advance(20_000);
    assert.deepEqual(world.deliveredS, [0, 10, 20]);
    world.stop.abort();
    await running;
  });

  it('a day offline is told when it began, once an hour while it lasts, and when it was over', async () => {
    const dayMs = 86_400_000;
    const world = new World(() => (world.clock.monotonicMs() < dayMs ? 'no-route' : 'ok'), PROVISIONED);
    await world.runFor(dayMs + 200_000);
    const told = world.log.told.map(({ message }) => message.split(':')[0]);
    const reminders = told.filter((message) => message === 'there is no route to the server').length - 1;
    assert.ok(reminders >= 20 && reminders <= 24, `${reminders} reminders`);
    assert.deepEqual(
      [...new Set(told)],
      [
        'the clock is synchronised',
        'credentials found',
        'there is no route to the server',
        'first telemetry accepted',
        'the server answers again',
        'everything that waited is delivered',
      ],
    );
    assert.equal(world.outbox.size, 0);
  });
});

describe('the spread of a fleet', () => {
  const spread = (record?: CredentialRecord) => {
    const world = new World(undefined, record);
    world.settings = { ...world.settings, spreadMs: 60_000 };
    return world;
  };

  it('asks nothing of the store or the server before a random part has passed; sampling goes on', async () => {
    for (const record of [PROVISIONED, undefined]) {
      const world = spread(record);
      const running = world.run();
      await world.clock.advance(29_999);
      assert.deepEqual(world.journal, []);
      assert.equal(world.outbox.size, 4);
      await world.clock.advance(1);
      assert.equal(world.journal[0], 'store read');
      assert.deepEqual(world.deliveredS, [0, 7.5, 17.5, 27.5]);
      world.stop.abort();
      await running;
    }
  });

  it('comes before a token of the operator too', async () => {
    const world = spread();
    world.settings = { ...world.settings, token: new Secret('given-by-the-operator') };
    const running = world.run();
    await world.clock.advance(29_999);
    assert.deepEqual(world.journal, []);
    await world.clock.advance(1);
    assert.deepEqual(new Set(world.journal), new Set(['transport postTelemetry']));
    world.stop.abort();
    await running;
  });

  it('comes once: what is intended later waits for nothing', async () => {
    const world = spread();
    await world.runFor(30_000);
    assert.equal(world.store.record?.state, 'provisioned');
    assert.deepEqual(world.deliveredS, [0, 7.5, 17.5, 27.5]);
  });

  it('ends with an abort: nothing is sent, written or left behind', async () => {
    const world = spread();
    await world.runFor(10_000);
    assert.deepEqual(world.transport.calls, []);
    assert.equal(world.store.record, undefined);
    assert.equal(world.clock.sleeping, 0);
    assert.equal(getEventListeners(world.stop.signal, 'abort').length, 0);
  });
});

describe('the end', () => {
  const MOMENTS: readonly (readonly [when: string, make: () => World])[] = [
    ['a request is under way', () => new World(() => 'never', PROVISIONED)],
    ['the first request is under way', () => new World(() => 'never')],
    ['a wait after a refusal', () => new World(() => 'not-found', PROVISIONED)],
    ['everything is delivered', () => new World(undefined, PROVISIONED)],
  ];
  for (const [when, make] of MOMENTS) {
    it(`an abort ends both loops while ${when}, and leaves no sleeper and no listener`, async () => {
      const world = make();
      await world.runFor(15_000);
      assert.equal(world.clock.sleeping, 0);
      assert.equal(getEventListeners(world.stop.signal, 'abort').length, 0);
    });
  }

  it('an abort tells no refusal: stopping is no trouble', async () => {
    const world = new World(() => 'never', PROVISIONED);
    await world.runFor(15_000);
    assert.deepEqual(
      world.log.told.map(({ message }) => message),
      [
        'the clock is synchronised: readings have their own time from here on, and those that waited are dated',
        'credentials found',
      ],
    );
  });

  it('a signal that has aborted already is the end before the first request', async () => {
    const world = new World(undefined, PROVISIONED);
    world.stop.abort();
    await world.run();
    assert.deepEqual(world.transport.calls, []);
  });
});

describe('a port that throws ends both loops, and the agent rejects with what was thrown', () => {
  const bug = new TypeError('x is not a function');

  it('a sensor, while a request is never answered', async () => {
    const world = new World(() => 'never', PROVISIONED);
    world.sensors = { sample: () => Promise.reject(bug) };
    await assert.rejects(world.run(), (error) => error === bug);
    assert.equal(world.clock.sleeping, 0);
  });

  it('the store, while the next sample is waited for', async () => {
    const world = new World();
    world.store.broken = bug;
    await assert.rejects(world.run(), (error) => error === bug);
    assert.equal(world.clock.sleeping, 0);
  });

  it('the transport, after hours of good service', async () => {
    const world = new World(() => {
      if (world.clock.monotonicMs() > 7_200_000) throw bug;
      return 'ok';
    }, PROVISIONED);
    const ended = assert.rejects(world.run(), (error) => error === bug);
    await world.clock.advance(7_300_000);
    await ended;
    await settled();
    assert.equal(world.clock.sleeping, 0);
    assert.equal(world.stop.signal.aborted, false);
  });
});
