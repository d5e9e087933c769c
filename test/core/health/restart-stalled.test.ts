/** A hung downlink is seen and started again, and never costs the gateway its watchdog notifications or its telemetry. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DownlinkHandlers } from '../../../src/agent/downlink-tasks.ts';
import { aborted, type Result } from '../../../src/core/failures/failure.ts';
import { LOOP_END_MS_MAX } from '../../../src/core/health/restart-stalled.ts';
import type { DownlinkListener } from '../../../src/core/ports/downlink.ts';
import { AgentHarness, PROVISIONED } from '../../agent/agent-harness.ts';
import { RecordingService } from '../../doubles/recording-service.ts';
import { repetitions } from '../../repetitions.ts';

const WATCHDOG_MS = 180_000;
const MINUTE_MS = 60_000;

/** What one call of `listen` does: confirm every four minutes, confirm once and hang, or also ignore its abort. */
type Behaviour = 'healthy' | 'hangs' | 'deaf';

class Listening extends AgentHarness {
  readonly service = new RecordingService(this.clock, WATCHDOG_MS);
  readonly listenedMs: number[] = [];
  readonly commands: number[] = [];
  /** Of the calls in their order; the last one counts for all that follow. */
  readonly #behaviours: readonly Behaviour[];
  readonly listeners: DownlinkListener[] = [];
  readonly downlink: DownlinkHandlers = {
    subscriptions: { attributes: true, commands: true },
    listener: { onAttributes: () => {}, onCommand: ({ id }) => this.commands.push(id) },
  };

  constructor(...behaviours: readonly Behaviour[]) {
    super(undefined, PROVISIONED);
    this.#behaviours = behaviours;
    this.transport.listen = (_token, _subscriptions, listener, signal) => this.#listen(listener, signal);
  }

  async #listen(listener: DownlinkListener, signal: AbortSignal): Promise<Result<void>> {
    const behaviour = this.#behaviours[this.listenedMs.length] ?? this.#behaviours.at(-1);
    this.listenedMs.push(this.clock.monotonicMs());
    this.listeners.push(listener);
    listener.onRegistered();
    while (behaviour === 'healthy' && !signal.aborted) {
      await this.clock.sleep(4 * MINUTE_MS, signal);
      if (!signal.aborted) listener.onRegistered();
    }
    return new Promise((resolve) => {
      if (behaviour === 'deaf') return;
      if (signal.aborted) resolve(aborted());
      signal.addEventListener('abort', () => resolve(aborted()));
    });
  }

  get stalls(): number {
    return this.log.withMessage(/no sign of life/).length;
  }
}

describe('a downlink loop without a sign of life', () => {
  for (const behaviour of ['hangs', 'deaf'] as const)
    it(`starts again within 20 min if its subscription ${behaviour === 'deaf' ? 'ignores its abort' : 'hangs'}`, async () => {
      const harness = new Listening(behaviour, 'healthy');
      await harness.runFor(120 * MINUTE_MS);
      assert.equal(harness.listenedMs.length, 2);
      assert.ok((harness.listenedMs[1] ?? Number.NaN) <= 20 * MINUTE_MS);
      assert.equal(harness.stalls, 1);
      assert.ok(harness.service.longestSilenceMs() <= WATCHDOG_MS / 2, 'the watchdog is notified');
      const seconds = harness.deliveredSeconds;
      assert.equal(seconds.length, 120 * 6 + 1, 'telemetry goes on');
    });

  it('is left as it is while registrations are confirmed', async () => {
    const harness = new Listening('healthy');
    await harness.runFor(repetitions(24, 4) * 60 * MINUTE_MS);
    assert.equal(harness.listenedMs.length, 1);
    assert.equal(harness.stalls, 0);
  });

  it('does not delay the end of the loops by more than five seconds', async () => {
    const harness = new Listening('deaf');
    const running = harness.run();
    await harness.clock.advance(MINUTE_MS);
    harness.stop.abort();
    await harness.clock.advance(LOOP_END_MS_MAX);
    await running;
  });

  it('is started at most ten times, and what was left behind is no longer heard', async () => {
    const harness = new Listening('deaf');
    const running = harness.run();
    await harness.clock.advance(repetitions(24, 4) * 60 * MINUTE_MS);
    assert.equal(harness.listenedMs.length, 10);
    for (const [id, listener] of harness.listeners.entries())
      listener.onCommand({ id, method: 'ping', params: null });
    assert.deepEqual(harness.commands, []);
    assert.ok(harness.service.longestSilenceMs() <= WATCHDOG_MS / 2);
    harness.stop.abort();
    await harness.clock.advance(LOOP_END_MS_MAX);
    await running;
  });
});
