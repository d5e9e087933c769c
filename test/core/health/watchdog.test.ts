/** The watchdog is fed while both loops get on, whatever the server does; each way to stand still stops it within its time. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DISK_MS_MAX,
  PROVISIONING_MS_MAX,
  REQUEST_MS_MAX,
  SAMPLING_MS_MAX,
  SLACK_MS,
} from '../../../src/core/health/deadlines.ts';
import { NUDGED_MS } from '../../../src/core/health/liveness.ts';
import type { CredentialRecord } from '../../../src/core/ports/credentials.ts';
import { timing } from '../../../src/transport/coap/retransmission.ts';
import { RESOLVE_MS } from '../../../src/transport/resolve.ts';
import { PROVISIONED, World } from '../../agent/agent-harness.ts';
import { RecordingService } from '../../doubles/recording-service.ts';
import type { Script } from '../../doubles/scripted-transport.ts';

const WATCHDOG_MS = 180_000;
const HOUR_MS = 3_600_000;
const forever = () => new Promise<never>(() => {});

class Watched extends World {
  readonly service = new RecordingService(this.clock, WATCHDOG_MS);

  constructor(script?: Script, record?: CredentialRecord) {
    super(script, record);
  }

  /** Runs for `ms`, and leaves it behind: what stands still does not end. */
  async live(ms: number): Promise<void> {
    void this.run();
    await this.clock.advance(ms);
  }

  /** How long after `fromMs` the last sign of life was; the watchdog fires WATCHDOG_MS after that. */
  fedForMs(fromMs: number): number {
    return (this.service.aliveMs.at(-1) ?? 0) - fromMs;
  }
}

describe('the watchdog is fed at least every half of its time', () => {
  const HEALTHY: readonly (readonly [when: string, hours: number, make: () => Watched])[] = [
    ['online', 24, () => new Watched(undefined, PROVISIONED)],
    ['offline for three days', 72, () => new Watched(() => 'silent', PROVISIONED)],
    [
      'refused for three days, with waits of up to an hour',
      72,
      () => new Watched(() => 'malformed', PROVISIONED),
    ],
    ['not provisioned for three days', 72, () => new Watched(() => 'not-found')],
    ['overloaded for a day', 24, () => new Watched(() => 'overloaded', PROVISIONED)],
  ];
  for (const [when, hours, make] of HEALTHY) {
    it(when, async () => {
      const world = make();
      world.settings = { ...world.settings, sampleEveryMs: 60_000 };
      await world.runFor(hours * HOUR_MS);
      assert.ok(
        world.service.longestSilenceMs() <= WATCHDOG_MS / 2,
        `${world.service.longestSilenceMs()} ms`,
      );
      assert.equal(world.log.saying(/stands still/).length, 0);
    });
  }

  it('with a reading every 24 hours, online and offline', async () => {
    for (const script of [() => 'ok' as const, () => 'no-route' as const]) {
      const world = new Watched(script, PROVISIONED);
      world.settings = { ...world.settings, sampleEveryMs: 24 * HOUR_MS };
      await world.runFor(60 * HOUR_MS);
      assert.ok(world.service.longestSilenceMs() <= WATCHDOG_MS / 2);
    }
  });

  it('while the clock is never right and nothing can be dated', async () => {
    const world = new Watched(() => 'silent', PROVISIONED);
    world.timeSync.synchronised = false;
    await world.runFor(24 * HOUR_MS);
    assert.ok(world.service.longestSilenceMs() <= WATCHDOG_MS / 2);
  });

  it('while nothing that is sampled changes, so that nothing is to be delivered', async () => {
    const world = new Watched(undefined, PROVISIONED);
    world.sensors = { sample: async () => ({}) };
    await world.runFor(24 * HOUR_MS);
    assert.ok(world.service.longestSilenceMs() <= WATCHDOG_MS / 2);
  });

  it('while a spread of an hour is waited out, and while provisioning is patient for eight minutes', async () => {
    const world = new Watched(async (call) => {
      if (call.verb === 'provision') await world.clock.sleep(500_000, world.stop.signal);
      return 'ok' as const;
    });
    world.settings = { ...world.settings, spreadMs: 2 * HOUR_MS };
    await world.runFor(2 * HOUR_MS);
    assert.ok(world.service.longestSilenceMs() <= WATCHDOG_MS / 2);
    assert.equal(world.store.record?.state, 'provisioned');
  });
});

describe('the feeding stops when a part stands still', () => {
  const FROM_MS = HOUR_MS;
  const HANGING: readonly (readonly [what: string, withinMs: number, make: () => Watched])[] = [
    [
      'a sensor never answers',
      SAMPLING_MS_MAX,
      () => {
        const world = new Watched(undefined, PROVISIONED);
        const { sensors } = world;
        world.sensors = {
          sample: () => (world.clock.monotonicMs() < FROM_MS ? sensors.sample() : forever()),
        };
        return world;
      },
    ],
    [
      'a post never ends, though readings keep coming',
      REQUEST_MS_MAX,
      () => {
        const world: Watched = new Watched(
          () => (world.clock.monotonicMs() < FROM_MS ? 'ok' : forever()),
          PROVISIONED,
        );
        return world;
      },
    ],
    [
      'a lane of the outbox never answers',
      DISK_MS_MAX,
      () => {
        const world = new Watched(undefined, PROVISIONED);
        const take = world.outbox.fresh.take.bind(world.outbox.fresh);
        world.outbox.fresh.take = (max) => (world.clock.monotonicMs() < FROM_MS ? take(max) : forever());
        return world;
      },
    ],
    [
      'the delivery does not wake any more',
      NUDGED_MS + WATCHDOG_MS / 2,
      () => {
        const world = new Watched(undefined, PROVISIONED);
        const { outbox } = world;
        const wait = outbox.waitForChange.bind(outbox);
        const value = (since: number, signal: AbortSignal) =>
          world.clock.monotonicMs() < FROM_MS ? wait(since, signal) : forever();
        Object.defineProperty(outbox, 'waitForChange', { value });
        return world;
      },
    ],
  ];
  for (const [what, withinMs, make] of HANGING) {
    it(`${what}: at most ${withinMs / 1000} s later, and it is told once`, async () => {
      const world = make();
      await world.live(FROM_MS + 2 * HOUR_MS);
      const before = world.service.aliveMs.filter((ms) => ms < FROM_MS).length;
      assert.equal(before, FROM_MS / (WATCHDOG_MS / 2));
      // One interval for the hang to be met, one for the beat before.
      assert.ok(
        world.fedForMs(FROM_MS) <= withinMs + world.settings.sampleEveryMs,
        `${world.fedForMs(FROM_MS)} ms`,
      );
      assert.equal(world.log.saying(/stands still/).length, 1);
    });
  }

  it('a provisioning request never ends', async () => {
    const world = new Watched(forever);
    await world.live(2 * HOUR_MS);
    assert.ok(world.fedForMs(0) <= PROVISIONING_MS_MAX);
    assert.ok(world.fedForMs(0) > PROVISIONING_MS_MAX - WATCHDOG_MS);
  });

  it('the credential store never answers', async () => {
    const world = new Watched();
    world.store.read = forever;
    await world.live(2 * HOUR_MS);
    assert.ok(world.fedForMs(0) <= DISK_MS_MAX);
  });

  it('and begins again when it goes on: a whole process that stood still for a minute is not restarted', async () => {
    const world = new Watched(undefined, PROVISIONED);
    const { sensors } = world;
    let beats = 0;
    world.sensors = {
      sample: async () => {
        beats += 1;
        if (beats === 6) await world.clock.sleep(SAMPLING_MS_MAX + 70_000, world.stop.signal);
        return sensors.sample();
      },
    };
    await world.runFor(HOUR_MS);
    assert.ok(world.service.longestSilenceMs() < WATCHDOG_MS);
    assert.equal(world.log.saying(/goes on again/).length, 1);
  });
});

describe('the figures of patience', () => {
  it("are above what the road's own deadlines add up to", () => {
    const longestMs = (patience: 'usual' | 'single') => {
      const { unansweredMs, acknowledgedMs } = timing(patience, 0.999);
      return RESOLVE_MS + unansweredMs + acknowledgedMs;
    };
    assert.ok(REQUEST_MS_MAX >= longestMs('usual') + SLACK_MS);
    assert.ok(PROVISIONING_MS_MAX >= longestMs('single') + DISK_MS_MAX + SLACK_MS);
  });
});

describe('the status', () => {
  it('of a first boot goes from provisioning to online, and each change is told within seconds', async () => {
    const world = new Watched(async (call) => {
      if (call.verb === 'provision') await world.clock.sleep(20_000, world.stop.signal);
      return 'ok' as const;
    });
    await world.runFor(200_000);
    const { statuses } = world.service;
    assert.ok(statuses.includes('provisioning gw-1, 1 reading kept'));
    assert.match(statuses.at(-1) ?? '', /^online, 18 readings delivered, last (0|10) s ago$/);
    const words = new Set(statuses.map((text) => text.split(/[ :,]/)[0]));
    assert.deepEqual([...words], ['starting', 'provisioning', 'waiting', 'online']);
  });

  it('of an outage says since when, what is kept and why, and then that it is over', async () => {
    const world = new Watched(
      () => (world.clock.monotonicMs() < 2.5 * HOUR_MS ? 'silent' : 'ok'),
      PROVISIONED,
    );
    await world.runFor(3 * HOUR_MS);
    const { statuses } = world.service;
    assert.ok(
      statuses.some((text) =>
        /^offline for 2 h, 7\d\d readings kept \(0 lost\); the server does not answer$/.test(text),
      ),
    );
    assert.match(statuses.at(-1) ?? '', /^online, 1\d\d\d readings delivered, last \d+ s ago$/);
  });

  it('of a server that comes and goes costs a message every three seconds at most', async () => {
    let count = 0;
    const world = new Watched(() => (++count % 2 === 0 ? 'ok' : 'silent'), PROVISIONED);
    world.settings = { ...world.settings, sampleEveryMs: 1_000 };
    await world.runFor(60_000);
    assert.ok(world.service.statuses.length <= 21);
  });

  it('of a gateway that is not provisioned says so, and what the server says', async () => {
    const world = new Watched(() => 'not-found');
    await world.runFor(600_000);
    assert.match(
      world.service.statuses.at(-1) ?? '',
      /^not provisioned for \d+ min, 5\d readings kept \(0 lost\); the server does not know the provisioning key and secret$/,
    );
  });

  it('READY is said at once, though the server never answers', async () => {
    const world = new Watched(() => 'never');
    await world.runFor(0);
    assert.deepEqual(world.service.states, ['ready']);
  });
});
