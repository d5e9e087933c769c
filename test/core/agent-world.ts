/** A whole agent in virtual time, with a server, a store and sensors as a test tells them to be. */

import { type AgentPorts, type AgentSettings, runAgent } from '../../src/agent.ts';
import type { CredentialRecord, Sensors } from '../../src/core/ports.ts';
import type { Values } from '../../src/core/reading.ts';
import { Secret } from '../../src/core/secret.ts';
import { RamOutbox } from '../../src/outbox/ram.ts';
import { LoadedDice } from '../doubles/loaded-dice.ts';
import { MemoryCredentialStore } from '../doubles/memory-credential-store.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { type Script, ScriptedTransport } from '../doubles/scripted-transport.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';
import { timesIn } from './delivery-stage.ts';

export const START_MS = Date.UTC(2026, 0, 1);
export const PROVISIONED: CredentialRecord = {
  state: 'provisioned',
  server: 'coap://tb',
  deviceName: 'gw-1',
  token: new Secret('stored-token'),
  sinceMs: 1,
};

export class World implements AgentPorts {
  readonly clock = new VirtualClock(START_MS);
  readonly chance = new LoadedDice(0.5);
  readonly log = new RecordingLogger();
  /** What was asked of the store and the server, in order. */
  readonly journal: string[] = [];
  readonly outbox = new RamOutbox();
  readonly store: MemoryCredentialStore;
  readonly transport: ScriptedTransport;
  readonly facts = { gather: async (): Promise<Values> => ({}) };
  readonly stop = new AbortController();
  sensors: Sensors = { sample: async () => ({ cpuPercent: 1 }) };
  settings: AgentSettings = {
    server: 'coap://tb',
    deviceName: 'gw-1',
    spreadMs: 0,
    sampleEveryMs: 10_000,
    pair: { key: 'pk1', secret: new Secret('ps1'), deviceGenerated: true },
  };

  constructor(script?: Script, record?: CredentialRecord) {
    this.transport = new ScriptedTransport(script, this.journal);
    this.store = new MemoryCredentialStore(record, this.journal);
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

  /** Seconds since the start at which the readings in the outbox were taken. */
  get waitingS(): number[] {
    return this.outbox.peek(10_000).map(({ tsMs }) => (tsMs - START_MS) / 1_000);
  }

  get deliveredS(): number[] {
    return this.transport.telemetry.flatMap(timesIn).map((tsMs) => (tsMs - START_MS) / 1_000);
  }
}

/** Sensors whose sample takes `ms`. */
export function slow(clock: VirtualClock, ms: number): Sensors {
  return {
    sample: async () => {
      await clock.sleep(ms, new AbortController().signal);
      return { cpuPercent: 1 };
    },
  };
}

export function portsOf(world: World): AgentPorts {
  const { clock, chance, log, outbox, store, transport, facts, sensors } = world;
  return { clock, chance, log, outbox, store, transport, facts, sensors };
}
