/** When the agent listens to the server: only while it delivers, again after every outage, and never in a stream. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Connection } from '../../../src/core/downlink/connection.ts';
import { runDownlink } from '../../../src/core/downlink/downlink-loop.ts';
import { DownlinkStatus } from '../../../src/core/downlink/downlink-status.ts';
import type { Result } from '../../../src/core/failures/failure.ts';
import { aborted } from '../../../src/core/failures/failure.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type {
  AttributeUpdate,
  Command,
  Downlink,
  DownlinkListener,
} from '../../../src/core/ports/downlink.ts';
import type { SessionState } from '../../../src/core/session/state.ts';
import { failureOf } from '../../doubles/failures.ts';
import { FixedRandom } from '../../doubles/fixed-random.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const TOKEN = new Secret('TOKEN-1');
const OTHER = new Secret('TOKEN-2');
const BOTH = { attributes: true, commands: true };

const delivering = (token = TOKEN): SessionState => ({
  at: 'deliver',
  identity: { deviceName: 'gw-1', token },
  failureCounts: {},
});
const WAITING: SessionState = {
  at: 'wait',
  forMs: 1_000,
  failure: failureOf('port-closed'),
  resumeAt: { at: 'load' },
  failureCounts: {},
};

/** A server that confirms each subscription, or answers with `result` at once. */
class Harness {
  readonly clock = new VirtualClock();
  readonly log = new RecordingLogger();
  readonly connection = new Connection();
  readonly status = new DownlinkStatus(this.clock, BOTH);
  readonly attributes: AttributeUpdate[] = [];
  readonly commands: Command[] = [];
  /** Monotonic ms and token of each registration. */
  readonly registrations: { readonly atMs: number; readonly token: string }[] = [];
  listener: DownlinkListener | undefined;
  result: Result<void> | undefined;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #end: (result: Result<void>) => void = () => {};

  constructor() {
    const transport: Pick<Downlink, 'listen'> = {
      listen: (token, _subscriptions, listener, signal) => {
        this.registrations.push({ atMs: this.clock.monotonicMs(), token: token.reveal() });
        if (this.result) return Promise.resolve(this.result);
        this.listener = listener;
        listener.onRegistered();
        return new Promise((resolve) => {
          this.#end = resolve;
          signal.addEventListener('abort', () => resolve(aborted()));
        });
      },
    };
    const listener = {
      onAttributes: (update: AttributeUpdate) => this.attributes.push(update),
      onCommand: (command: Command) => this.commands.push(command),
    };
    const { clock, log, connection, status } = this;
    const heartbeat = { expectWithin: () => {} };
    this.#running = runDownlink(
      { clock, random: new FixedRandom(0.5), log, transport, connection, listener, status, heartbeat },
      BOTH,
      this.#stop.signal,
    );
  }

  deliver(token = TOKEN): void {
    this.connection.onStep({ type: 'delivered' }, delivering(token));
  }

  fail(): void {
    this.connection.onStep({ type: 'failed', failure: failureOf('port-closed') }, WAITING);
  }

  /** The server ends the subscription. */
  end(result: Result<void>): void {
    this.#end(result);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

describe('the downlink loop', () => {
  it('registers only after telemetry was accepted', async () => {
    const harness = new Harness();
    await harness.clock.advance(3_600_000);
    assert.equal(harness.registrations.length, 0);
    assert.equal(harness.status.report.state, 'waiting');
    harness.deliver();
    await harness.clock.advance(0);
    assert.equal(harness.registrations.length, 1);
    assert.equal(harness.status.report.state, 'listening');
    await harness.stop();
  });

  it('passes on attributes and commands and keeps listening while deliveries succeed', async () => {
    const harness = new Harness();
    harness.deliver();
    await harness.clock.advance(0);
    harness.listener?.onAttributes({ is: 'changed', values: { telemetryInterval: '1m' } });
    harness.listener?.onCommand({ id: 1, method: 'ping', params: null });
    for (let beat = 0; beat < 100; beat += 1) {
      harness.deliver();
      await harness.clock.advance(10_000);
    }
    assert.equal(harness.registrations.length, 1);
    assert.deepEqual(
      harness.attributes.map(({ is }) => is),
      ['changed'],
    );
    assert.deepEqual(
      harness.commands.map(({ method }) => method),
      ['ping'],
    );
    await harness.stop();
  });

  it('registers again after an outage, and not during it', async () => {
    const harness = new Harness();
    harness.deliver();
    await harness.clock.advance(60_000);
    harness.fail();
    await harness.clock.advance(600_000);
    assert.equal(harness.registrations.length, 1);
    assert.equal(harness.status.report.state, 'waiting');
    harness.deliver();
    await harness.clock.advance(1_000);
    assert.equal(harness.registrations.length, 2);
    await harness.stop();
  });

  it('registers with the new token after the gateway was provisioned again', async () => {
    const harness = new Harness();
    harness.deliver();
    await harness.clock.advance(1_000);
    harness.deliver(OTHER);
    await harness.clock.advance(10_000);
    assert.deepEqual(
      harness.registrations.map(({ token }) => token),
      ['TOKEN-1', 'TOKEN-2'],
    );
    await harness.stop();
  });

  it('registers again within seconds when the server ends the subscription', async () => {
    const harness = new Harness();
    harness.deliver();
    await harness.clock.advance(60_000);
    harness.end({ ok: true, value: undefined });
    await harness.clock.advance(5_000);
    assert.equal(harness.registrations.length, 2);
    await harness.stop();
  });

  it('retries a failing subscription at most every five minutes apart and logs it once', async () => {
    const harness = new Harness();
    harness.result = { ok: false, failure: failureOf('unexpected-response') };
    harness.deliver();
    await harness.clock.advance(24 * 3_600_000);
    const times = harness.registrations.map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    assert.ok(Math.max(...gaps) <= 300_000, `${Math.max(...gaps)}`);
    assert.ok(times.length < 1_000, `${times.length} registrations in a day`);
    assert.equal(harness.log.withMessage(/accepts telemetry but no subscription/).length, 1);
    assert.equal(harness.status.report.reason, 'unexpected-response');
    harness.result = undefined;
    await harness.clock.advance(300_000);
    assert.equal(harness.log.withMessage(/accepts the subscription .* again/).length, 1);
    assert.equal(harness.status.report.reason, undefined);
    await harness.stop();
  });

  it('causes no stream of registrations when the session flaps', async () => {
    const harness = new Harness();
    for (let second = 0; second < 3_600; second += 1) {
      if (second % 2 === 0) harness.deliver();
      else harness.fail();
      await harness.clock.advance(1_000);
    }
    assert.ok(harness.registrations.length < 1_000, `${harness.registrations.length} in an hour`);
    await harness.stop();
  });
});
