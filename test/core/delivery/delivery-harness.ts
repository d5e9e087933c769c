/** A delivery with an outbox in memory, a scripted server, and facts that the test controls. */

import type { ChangingAttributes } from '../../../src/core/delivery/attributes.ts';
import { Delivery, type DeliverySettings } from '../../../src/core/delivery/delivery.ts';
import { LossReport } from '../../../src/core/model/loss-report.ts';
import type { Instant, Reading, Values } from '../../../src/core/model/reading.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { HostFacts } from '../../../src/core/ports/sensors.ts';
import type { SessionEvent } from '../../../src/core/session/state.ts';
import { TieredOutbox } from '../../../src/outbox/outbox.ts';
import { FixedRandom } from '../../doubles/fixed-random.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { type Script, ScriptedTransport } from '../../doubles/scripted-transport.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

export const TOKEN = new Secret('harness-token');

/** A full reading of this time, with its date. */
export function reading(tsMs: number, values: Values = { a: tsMs }): Reading {
  return { bootId: 'boot-1', bootMs: tsMs, tsMs, values, isSnapshot: true };
}

export class DeliveryHarness {
  readonly clock = new VirtualClock();
  readonly random = new FixedRandom(0.5);
  readonly log = new RecordingLogger();
  readonly stop = new AbortController();
  readonly outbox: TieredOutbox;
  readonly transport: ScriptedTransport;
  readonly facts = new ControllableFacts();
  /** When the newest reading of each accepted message was taken. */
  readonly acceptedBootMs: number[] = [];
  readonly onTelemetryAccepted = (readBootMs: number): void => void this.acceptedBootMs.push(readBootMs);
  changingAttributes: ChangingAttributes | undefined;
  readonly delivery: Delivery;

  constructor(script?: Script, settings: Partial<DeliverySettings> = {}) {
    const { clock, log } = this;
    this.outbox = new TieredOutbox(
      { clock, log, losses: new LossReport(), now: this.now },
      { spoolAfterMs: 60_000, flushEveryMs: 60_000 },
    );
    this.transport = new ScriptedTransport(script);
    this.delivery = new Delivery(this, { drainPerS: 10, drainSpreadMs: 0, ...settings });
  }

  readonly now = (): Instant => ({
    bootId: this.clock.bootId,
    bootMs: this.clock.bootMs(),
    tsMs: this.clock.wallMs(),
  });

  /** Appends readings of these times. */
  append(...times: readonly number[]): void {
    for (const tsMs of times) this.outbox.append(reading(tsMs));
  }

  /** Appends a reading of just now. */
  sample(): void {
    this.outbox.append({ ...this.now(), values: { a: this.clock.monotonicMs() }, isSnapshot: true });
  }

  /** The same, and makes them the backlog. */
  async appendBacklog(...times: readonly number[]): Promise<void> {
    this.append(...times);
    await this.outbox.flush();
  }

  step(token = TOKEN): Promise<SessionEvent> {
    return this.delivery.step(token, this.stop.signal);
  }

  /** A step in which time passes as long as it waits for something. */
  async stepWithin(token = TOKEN): Promise<SessionEvent> {
    let event: SessionEvent | undefined;
    void this.step(token).then((ended) => {
      event = ended;
    });
    await settled();
    for (let wakeups = 0; event === undefined && wakeups < 10_000; wakeups += 1) {
      if (!(await this.clock.advanceToNext())) await settled();
    }
    if (!event) throw new Error('the step did not end');
    return event;
  }

  /** Steps until the outbox is empty; the events it took. */
  async drain(): Promise<SessionEvent[]> {
    const events: SessionEvent[] = [];
    while (this.outbox.size > 0 && events.length < 2_000) events.push(await this.stepWithin());
    return events;
  }
}

export class ControllableFacts implements HostFacts {
  calls = 0;
  ready: (values: Values) => void = () => {};
  fail: (error: Error) => void = () => {};

  gather(): Promise<Values> {
    this.calls += 1;
    return new Promise((resolve, reject) => {
      this.ready = resolve;
      this.fail = reject;
    });
  }
}

/** Everything that was set off has settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The times of the readings in a telemetry body; NaN for one without. */
export function timesIn(body: string): number[] {
  return (JSON.parse(body) as { ts?: number }[]).map(({ ts }) => ts ?? Number.NaN);
}
