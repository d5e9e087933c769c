/** A whole agent in virtual time, with the server, store and sensors that a test configures. */

import { type AgentPorts, type AgentSettings, runAgent } from '../../src/agent/agent.ts';
import { LossReport } from '../../src/core/model/loss-report.ts';
import type { Values } from '../../src/core/model/reading.ts';
import { Secret } from '../../src/core/model/secret.ts';
import type { CredentialRecord } from '../../src/core/ports/credentials.ts';
import type { Sensors } from '../../src/core/ports/sensors.ts';
import { Timestamper } from '../../src/core/timestamps/timestamper.ts';
import { TieredOutbox } from '../../src/outbox/outbox.ts';
import { timesIn } from '../core/delivery/delivery-harness.ts';
import { FixedRandom } from '../doubles/fixed-random.ts';
import { MemoryCredentialStore } from '../doubles/memory-credential-store.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { ScriptedTimeSync } from '../doubles/scripted-time-sync.ts';
import { type Script, ScriptedTransport } from '../doubles/scripted-transport.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';

export const START_MS = Date.UTC(2026, 0, 1);
export const PROVISIONED: CredentialRecord = {
  state: 'provisioned',
  server: 'coap://tb',
  deviceName: 'gw-1',
  token: new Secret('stored-token'),
  sinceMs: 1,
};

export class AgentHarness implements AgentPorts {
  readonly clock = new VirtualClock(START_MS);
  readonly random = new FixedRandom(0.5);
  readonly log = new RecordingLogger();
  /** The calls of store and server, in order. */
  readonly calls: string[] = [];
  readonly timeSync = new ScriptedTimeSync(this.clock);
  readonly timestamper: Timestamper;
  readonly outbox: TieredOutbox;
  readonly store: MemoryCredentialStore;
  readonly transport: ScriptedTransport;
  readonly facts = { gather: async (): Promise<Values> => ({}) };
  readonly stop = new AbortController();
  sensors: Sensors = changingSensors();
  settings: AgentSettings = {
    server: 'coap://tb',
    deviceName: 'gw-1',
    spreadMs: 0,
    sampleEveryMs: 10_000,
    drainPerS: 10,
    pair: { key: 'pk1', secret: new Secret('ps1'), deviceGenerated: true },
  };

  constructor(script?: Script, record?: CredentialRecord) {
    const { clock, log, timeSync } = this;
    timeSync.synchronised = true;
    this.timestamper = new Timestamper({ clock, log, timeSync }, { trust: 'synchronised' });
    this.outbox = new TieredOutbox(
      { clock, log, losses: new LossReport(), now: () => this.timestamper.now() },
      { spoolAfterMs: 60_000, flushEveryMs: 60_000 },
    );
    this.transport = new ScriptedTransport(script, this.calls);
    this.store = new MemoryCredentialStore(record, this.calls);
  }

  run(): Promise<void> {
    return runAgent(this, this.settings, this.stop.signal);
  }

  /** Runs for `ms` of virtual time, then stops. */
  async runFor(ms: number): Promise<void> {
    const running = this.run();
    await this.clock.advance(ms);
    this.stop.abort();
    await running;
  }

  /** Seconds since the start at which the queued readings were taken; taken readings are returned to the outbox. */
  async waitingSeconds(): Promise<number[]> {
    const lanes = [this.outbox.backlog, this.outbox.fresh];
    const waiting = [];
    for (const lane of lanes) {
      lane.rewind();
      waiting.push(...(await lane.take(10_000)));
    }
    return waiting.map(({ tsMs }) => ((tsMs ?? Number.NaN) - START_MS) / 1_000);
  }

  get deliveredSeconds(): number[] {
    const times = this.transport.telemetry.flatMap(timesIn);
    return times.map((tsMs) => (tsMs - START_MS) / 1_000).sort((a, b) => a - b);
  }
}

/** Sensors with a new value at each sample. */
function changingSensors(): Sensors {
  let count = 0;
  return {
    sample: async () => {
      count += 1;
      return { cpuPercent: count };
    },
  };
}

/** The same; each sample takes `ms`. */
export function slow(clock: VirtualClock, ms: number): Sensors {
  const sensors = changingSensors();
  return {
    sample: async () => {
      await clock.sleep(ms, new AbortController().signal);
      return sensors.sample();
    },
  };
}

export function portsOf(harness: AgentHarness): AgentPorts {
  const { clock, random, log, outbox, store, transport, facts, sensors, timestamper } = harness;
  return { clock, random, log, outbox, store, transport, facts, sensors, timestamper };
}
