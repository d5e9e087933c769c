/** A whole agent in virtual time, with a backlog, against a server that limits data points or messages. */

import { runAgent } from '../../src/agent/agent.ts';
import type { Values } from '../../src/core/model/reading.ts';
import type { Transport } from '../../src/core/ports/transport.ts';
import { PacedTransport } from '../doubles/paced-transport.ts';
import { type Limit, PointLimit } from '../doubles/point-limit.ts';
import { SeededRandom } from '../simulation/seeded-random.ts';
import { AgentHarness, PROVISIONED, portsOf, START_MS } from './agent-harness.ts';

export const INTERVAL_MS = 10_000;
/** Round-trip time of the scripted server, ms. */
const LATENCY_MS = 40;

export interface Scenario {
  /** Readings of an earlier boot. */
  readonly backlog: number;
  /** Values in each reading. */
  readonly values: number;
  readonly limits: readonly Limit[];
  /** The longest time, ms. Without a backlog: the whole time. */
  readonly maxMs: number;
  readonly seed?: number;
}

/** Opens the real transport to a server that answers by `limit`. */
export type OpenServer = (
  limit: PointLimit,
  harness: AgentHarness,
) => Promise<{ readonly transport: Transport; readonly close: () => unknown }>;

export interface Outcome {
  readonly server: PointLimit;
  readonly harness: AgentHarness;
  /** Until the backlog was empty, ms. */
  readonly tookMs: number;
  /** From each fresh sample to its arrival, ms. */
  readonly delaysMs: readonly number[];
  /** Points of all readings that were sampled, and how many of them were never stored or more than once. */
  readonly points: number;
  readonly missing: number;
  readonly repeated: number;
}

const valuesOf = (count: number, value: number): Values =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`sensor${index}Percent`, value + index]));

/** Runs until the backlog is empty, or for `maxMs`. */
export async function drain(scenario: Scenario, open?: OpenServer): Promise<Outcome> {
  const { backlog, values, limits, maxMs, seed = 1 } = scenario;
  const delaysMs: number[] = [];
  const server = new PointLimit(limits, (ts, nowMs) => {
    if (ts >= START_MS) delaysMs.push(nowMs - ts);
  });
  const harness: AgentHarness = new AgentHarness(async (call) => {
    await harness.clock.sleep(LATENCY_MS, harness.stop.signal);
    const isAdmitted = call.verb !== 'postTelemetry' || server.admit(call.body, harness.clock.wallMs());
    return isAdmitted ? 'ok' : 'server-overloaded';
  }, PROVISIONED);
  const random = new SeededRandom(seed);
  harness.random.uniform = () => random.random();
  const expected = new Set<string>();
  const expect = (tsMs: number) => {
    for (const key of Object.keys(valuesOf(values, 0))) expected.add(`${tsMs} ${key}`);
  };
  let sampled = 0;
  harness.sensors = {
    sample: async () => {
      sampled += 1;
      expect(harness.clock.wallMs());
      return valuesOf(values, sampled);
    },
  };
  for (let index = 0; index < backlog; index += 1) {
    const tsMs = START_MS - (backlog - index) * INTERVAL_MS;
    expect(tsMs);
    const instant = { bootId: 'earlier', bootMs: tsMs, tsMs };
    harness.outbox.append({ ...instant, values: valuesOf(values, index), isSnapshot: true });
    if (index % 500 === 499) await harness.outbox.flush();
  }
  await harness.outbox.flush();
  const opened = await open?.(server, harness);
  const paced = new PacedTransport(opened?.transport ?? harness.transport, harness.clock);
  const transport = opened ? paced : harness.transport;
  const advance = (ms: number) => (opened ? paced.advance(ms) : harness.clock.advance(ms));
  const running = runAgent({ ...portsOf(harness), transport }, harness.settings, harness.stop.signal);
  let tookMs = 0;
  const isDrained = () => backlog > 0 && harness.outbox.backlog.size === 0 && harness.outbox.fresh.size === 0;
  while (tookMs < maxMs && !isDrained()) {
    // Between two samples, so that a fresh reading has had its time.
    await advance(tookMs === 0 ? INTERVAL_MS - 500 : INTERVAL_MS);
    tookMs += INTERVAL_MS;
  }
  harness.stop.abort();
  await advance(1_000);
  await running;
  await opened?.transport[Symbol.asyncDispose]();
  await opened?.close();
  const missing = [...expected].filter((point) => !server.stored.has(point)).length;
  const repeated = [...server.stored.values()].filter((count) => count > 1).length;
  return { server, harness, tookMs, delaysMs, points: expected.size, missing, repeated };
}
