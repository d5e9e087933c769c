/** A delivery with an outbox in memory, a scripted server and facts that are ready when the test says so. */

import { Delivery } from '../../src/core/delivery.ts';
import type { HostFacts } from '../../src/core/ports.ts';
import type { Reading, Values } from '../../src/core/reading.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Event } from '../../src/core/session-state.ts';
import { RamOutbox } from '../../src/outbox/ram.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { type Script, ScriptedTransport } from '../doubles/scripted-transport.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';

export const TOKEN = new Secret('stage-token');

export function reading(tsMs: number, values: Values = { a: tsMs }): Reading {
  return { tsMs, values };
}

export class DeliveryStage {
  readonly clock = new VirtualClock();
  readonly log = new RecordingLogger();
  readonly stop = new AbortController();
  readonly outbox: RamOutbox;
  readonly transport: ScriptedTransport;
  readonly facts = new FactsOnDemand();
  readonly delivery: Delivery;

  constructor(script?: Script, readingsMax?: number) {
    this.outbox = new RamOutbox(readingsMax);
    this.transport = new ScriptedTransport(script);
    this.delivery = new Delivery(this);
  }

  /** Appends readings of these times. */
  append(...times: readonly number[]): void {
    for (const tsMs of times) this.outbox.append(reading(tsMs));
  }

  step(token = TOKEN): Promise<Event> {
    return this.delivery.step(token, this.stop.signal);
  }

  /** Steps until the outbox is empty; the events it took. */
  async drain(): Promise<Event[]> {
    const events: Event[] = [];
    while (this.outbox.size > 0 && events.length < 1_000) events.push(await this.step());
    return events;
  }
}

export class FactsOnDemand implements HostFacts {
  asked = 0;
  ready: (values: Values) => void = () => {};
  fail: (error: Error) => void = () => {};

  gather(): Promise<Values> {
    this.asked += 1;
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

/** The times of the readings in a telemetry body. */
export function timesIn(body: string): number[] {
  return (JSON.parse(body) as { ts: number }[]).map(({ ts }) => ts);
}
