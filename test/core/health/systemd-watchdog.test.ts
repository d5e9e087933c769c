/**
 * The watchdog is notified as long as both loops run, whatever the server does; each stall stops the
 * notifications within its deadline.
 */

import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { AsyncSignal } from '../../../src/core/async/async-signal.ts';
import {
  DISK_MS_MAX,
  PROVISIONING_MS_MAX,
  REQUEST_MS_MAX,
  SAMPLING_MS_MAX,
  SLACK_MS,
} from '../../../src/core/health/deadlines.ts';
import { POKE_RESPONSE_MS_MAX } from '../../../src/core/health/liveness.ts';
import type { CredentialRecord } from '../../../src/core/ports/credentials.ts';
import { retransmissionTiming } from '../../../src/transport/coap/retransmission-timing.ts';
import { RESOLVE_TIMEOUT_MS } from '../../../src/transport/resolve.ts';
import { AgentHarness, PROVISIONED } from '../../agent/agent-harness.ts';
import { RecordingService } from '../../doubles/recording-service.ts';
import type { Script } from '../../doubles/scripted-transport.ts';
import { repetitions } from '../../repetitions.ts';

const WATCHDOG_MS = 180_000;
const HOUR_MS = 3_600_000;
const forever = () => new Promise<never>(() => {});

class Watched extends AgentHarness {
  readonly service = new RecordingService(this.clock, WATCHDOG_MS);

  constructor(script?: Script, record?: CredentialRecord) {
    super(script, record);
    // Longer than by default, because hours pass here.
    this.sampling(60_000);
  }

  sampling(everyMs: number): this {
    this.settings = { ...this.settings, sampleEveryMs: everyMs };
    return this;
  }

  /** Runs for `ms`, and leaves it behind: what stands still does not end. */
  async live(ms: number): Promise<void> {
    void this.run();
    await this.clock.advance(ms);
  }

  /** How long after `fromMs` the last sign of life was; the watchdog fires WATCHDOG_MS after that. */
  notifiedForMs(fromMs: number): number {
    return (this.service.aliveMs.at(-1) ?? 0) - fromMs;
  }
}

describe('watchdog notifications continue at half of the interval', () => {
  const HEALTHY: readonly (readonly [when: string, hours: number, make: () => Watched])[] = [
    ['online', 24, () => new Watched(undefined, PROVISIONED)],
    ['offline', 72, () => new Watched(() => 'server-timeout', PROVISIONED)],
    ['rejected, with waits of up to an hour', 72, () => new Watched(() => 'request-malformed', PROVISIONED)],
    ['not provisioned', 72, () => new Watched(() => 'provisioning-key-unknown')],
    ['overloaded', 24, () => new Watched(() => 'server-overloaded', PROVISIONED)],
  ];
  for (const [when, hours, make] of HEALTHY) {
    it(when, async () => {
      const harness = make();
      await harness.runFor(repetitions(hours, 4) * HOUR_MS);
      assert.ok(
        harness.service.longestSilenceMs() <= WATCHDOG_MS / 2,
        `${harness.service.longestSilenceMs()} ms`,
      );
      assert.equal(harness.log.withMessage(/has stalled/).length, 0);
    });
  }

  it('the watchdog is notified with a reading every 24 hours, online and offline', async () => {
    for (const script of [() => 'ok' as const, () => 'no-route' as const]) {
      const harness = new Watched(script, PROVISIONED);
      harness.settings = { ...harness.settings, sampleEveryMs: 24 * HOUR_MS };
      await harness.runFor(repetitions(60, 26) * HOUR_MS);
      assert.ok(harness.service.longestSilenceMs() <= WATCHDOG_MS / 2);
    }
  });

  it('the watchdog is notified while the clock is never synchronised', async () => {
    const harness = new Watched(() => 'server-timeout', PROVISIONED);
    harness.timeSync.synchronised = false;
    await harness.runFor(repetitions(24, 4) * HOUR_MS);
    assert.ok(harness.service.longestSilenceMs() <= WATCHDOG_MS / 2);
  });

  it('the watchdog is notified while no sampled value changes', async () => {
    const harness = new Watched(undefined, PROVISIONED);
    harness.sensors = { sample: async () => ({}) };
    await harness.runFor(repetitions(24, 4) * HOUR_MS);
    assert.ok(harness.service.longestSilenceMs() <= WATCHDOG_MS / 2);
  });

  it('the watchdog is notified during a spread of 1 h and a provisioning of 8 min', async () => {
    const harness = new Watched(async (call) => {
      if (call.verb === 'provision') await harness.clock.sleep(500_000, harness.stop.signal);
      return 'ok' as const;
    });
    harness.settings = { ...harness.settings, spreadMs: 2 * HOUR_MS };
    await harness.runFor(2 * HOUR_MS);
    assert.ok(harness.service.longestSilenceMs() <= WATCHDOG_MS / 2);
    assert.equal(harness.store.record?.state, 'provisioned');
  });
});

describe('a stall of the agent', () => {
  const FROM_MS = HOUR_MS;
  afterEach(() => mock.restoreAll());
  const HANG_CASES: readonly (readonly [what: string, withinMs: number, make: () => Watched])[] = [
    [
      'a sensor never responds',
      SAMPLING_MS_MAX,
      () => {
        const harness = new Watched(undefined, PROVISIONED);
        const { sensors } = harness;
        harness.sensors = {
          sample: () => (harness.clock.monotonicMs() < FROM_MS ? sensors.sample() : forever()),
        };
        return harness;
      },
    ],
    [
      'a post never ends, though readings keep coming',
      REQUEST_MS_MAX,
      () => {
        const harness: Watched = new Watched(
          () => (harness.clock.monotonicMs() < FROM_MS ? 'ok' : forever()),
          PROVISIONED,
        );
        return harness;
      },
    ],
    [
      'a lane of the outbox never answers',
      DISK_MS_MAX,
      () => {
        const harness = new Watched(undefined, PROVISIONED);
        const take = harness.outbox.fresh.take.bind(harness.outbox.fresh);
        harness.outbox.fresh.take = (max) => (harness.clock.monotonicMs() < FROM_MS ? take(max) : forever());
        return harness;
      },
    ],
    [
      'the delivery does not wake any more',
      POKE_RESPONSE_MS_MAX + WATCHDOG_MS / 2,
      () => {
        const harness = new Watched(undefined, PROVISIONED);
        const wait = AsyncSignal.waitForAny;
        mock.method(AsyncSignal, 'waitForAny', (...args: Parameters<typeof wait>) =>
          harness.clock.monotonicMs() < FROM_MS ? wait(...args) : forever(),
        );
        return harness;
      },
    ],
  ];
  for (const [name, withinMs, make] of HANG_CASES) {
    it(`${name}: the notifications stop within ${withinMs / 1000} s, logged once`, async () => {
      const harness = make();
      await harness.live(FROM_MS + 2 * HOUR_MS);
      const before = harness.service.aliveMs.filter((ms) => ms < FROM_MS).length;
      assert.equal(before, FROM_MS / (WATCHDOG_MS / 2));
      // One interval for the hang to be met, one for the beat before.
      assert.ok(
        harness.notifiedForMs(FROM_MS) <= withinMs + harness.settings.sampleEveryMs,
        `${harness.notifiedForMs(FROM_MS)} ms`,
      );
      assert.equal(harness.log.withMessage(/has stalled/).length, 1);
    });
  }

  it('a provisioning request that never ends stops the notifications', async () => {
    const harness = new Watched(forever);
    await harness.live(2 * HOUR_MS);
    assert.ok(harness.notifiedForMs(0) <= PROVISIONING_MS_MAX);
    assert.ok(harness.notifiedForMs(0) > PROVISIONING_MS_MAX - WATCHDOG_MS);
  });

  it('a credential store that never responds stops the notifications', async () => {
    const harness = new Watched();
    harness.store.read = forever;
    await harness.live(2 * HOUR_MS);
    assert.ok(harness.notifiedForMs(0) <= DISK_MS_MAX);
  });

  it('the notifications resume after the whole process was stopped for a minute', async () => {
    const harness = new Watched(undefined, PROVISIONED);
    const { sensors } = harness;
    let beats = 0;
    harness.sensors = {
      sample: async () => {
        beats += 1;
        if (beats === 6) await harness.clock.sleep(SAMPLING_MS_MAX + 70_000, harness.stop.signal);
        return sensors.sample();
      },
    };
    await harness.runFor(HOUR_MS);
    assert.ok(harness.service.longestSilenceMs() < WATCHDOG_MS);
    assert.equal(harness.log.withMessage(/has resumed/).length, 1);
  });
});

describe('the deadlines', () => {
  it('the deadlines exceed the sum of the time limits of the transport', () => {
    const longestMs = (timeoutMs: 'retryable' | 'once') => {
      const { noAckTimeoutMs: unansweredMs, responseTimeoutMs: acknowledgedMs } = retransmissionTiming(
        timeoutMs,
        0.999,
      );
      return RESOLVE_TIMEOUT_MS + unansweredMs + acknowledgedMs;
    };
    assert.ok(REQUEST_MS_MAX >= longestMs('retryable') + SLACK_MS);
    assert.ok(PROVISIONING_MS_MAX >= longestMs('once') + DISK_MS_MAX + SLACK_MS);
  });
});

describe('the status', () => {
  it('the status of a first boot changes from provisioning to online within seconds', async () => {
    const harness: Watched = new Watched(async (call) => {
      if (call.verb === 'provision') await harness.clock.sleep(20_000, harness.stop.signal);
      return 'ok' as const;
    }).sampling(10_000);
    await harness.runFor(200_000);
    const { statuses } = harness.service;
    assert.ok(statuses.includes('provisioning gw-1, 1 reading queued'));
    assert.match(statuses.at(-1) ?? '', /^online, 18 readings delivered, last (0|10) s ago$/);
    const message = new Set(statuses.map((text) => text.split(/[ :,]/)[0]));
    assert.deepEqual([...message], ['starting', 'provisioning', 'waiting', 'online']);
  });

  it('the status of an outage shows its duration, queued readings and cause', async () => {
    const harness: Watched = new Watched(
      () => (harness.clock.monotonicMs() < 2.5 * HOUR_MS ? 'server-timeout' : 'ok'),
      PROVISIONED,
    ).sampling(10_000);
    await harness.runFor(3 * HOUR_MS);
    const { statuses } = harness.service;
    assert.ok(
      statuses.some((text) =>
        /^offline for 2 h, 7\d\d readings queued \(0 lost\); the server does not respond$/.test(text),
      ),
    );
    assert.match(statuses.at(-1) ?? '', /^online, 1\d\d\d readings delivered, last \d+ s ago$/);
  });

  it('the status of a flapping server is sent at most every three seconds', async () => {
    let count = 0;
    const harness = new Watched(() => (++count % 2 === 0 ? 'ok' : 'server-timeout'), PROVISIONED).sampling(
      1_000,
    );
    await harness.runFor(60_000);
    assert.ok(harness.service.statuses.length <= 21);
  });

  it('the status of an unprovisioned gateway shows the failure', async () => {
    const harness = new Watched(() => 'provisioning-key-unknown').sampling(10_000);
    await harness.runFor(600_000);
    assert.match(
      harness.service.statuses.at(-1) ?? '',
      /^not provisioned for \d+ min, 5\d readings queued \(0 lost\); the server does not know the provisioning key and secret$/,
    );
  });

  it('READY is sent at once, even if the server never responds', async () => {
    const harness = new Watched(() => 'never');
    await harness.runFor(0);
    assert.deepEqual(harness.service.notifications, ['ready']);
  });
});
