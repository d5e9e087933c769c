/**
 * A long lossy road in virtual time: the agent's whole CoAP transport, the sandbox as server, and between them
 * a network that loses a share of all datagrams, each way, from a seed. Counts what it cost.
 */

import { Secret } from '../../../../src/core/model/secret.ts';
import type { RetransmissionTiming } from '../../../../src/transport/coap/retransmission.ts';
import { type CoapPorts, CoapTransport } from '../../../../src/transport/coap/transport.ts';
import { NO_FAULTS, type PathConditions } from '../../../simulation/first-boot/plan.ts';
import { SimulatedServer } from '../../../simulation/first-boot/simulated-server.ts';
import { GATEWAY, STRATEGIES } from '../../../simulation/first-boot/strategies.ts';
import { SeededRandom } from '../../../simulation/seeded-random.ts';
import { Trace } from '../../../simulation/trace.ts';
import { VirtualNetwork } from '../../../simulation/virtual-network.ts';
import { VirtualTime } from '../../../simulation/virtual-time.ts';

const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';
const BODY = '[{"ts":1700000000000,"values":{"cpu":12.5}}]';
const FOR_EVER_MS = 24 * 3_600_000;

export interface LossyPath {
  readonly lostShare: number;
  /** One way; each datagram takes between 0.8 and 1.2 times that. */
  readonly delayMs: number;
  readonly posts: number;
  readonly inFlight: number;
  readonly seed: number;
  /** Absent: the agent's own, adaptive times. */
  readonly timing?: (uniform: number) => RetransmissionTiming;
}

export interface Cost {
  readonly tookMs: number;
  readonly failed: readonly string[];
  /** Requests that left the gateway, repetitions included. */
  readonly datagrams: number;
}

/** RFC 7252's fixed times, which the agent had before it measured. */
export function fixedTiming(uniform: number): RetransmissionTiming {
  const firstMs = Math.round(2_000 * (1 + uniform / 2));
  return {
    retransmitAfterMs: [firstMs, firstMs * 2, firstMs * 4, firstMs * 8],
    noAckTimeoutMs: 45_000,
    responseTimeoutMs: 15_000,
  };
}

export async function runPosts(path: LossyPath): Promise<Cost> {
  const dice = new SeededRandom(path.seed);
  const time = new VirtualTime();
  const trace = new Trace(() => time.nowMs, false);
  let datagrams = 0;
  // 0.02 is POST; everything else of the gateway's is an acknowledgement.
  const leftGateway = (_port: number, bytes: Buffer) => {
    if (bytes.readUInt8(1) === 2) datagrams += 1;
  };
  const virtualNetwork = new VirtualNetwork({
    time,
    trace,
    random: dice,
    observer: { onGatewaySend: leftGateway, onServerSend: () => {} },
  });
  virtualNetwork.conditions = { ...NO_FAULTS, up: lane(path), down: lane(path) };
  const strategy = STRATEGIES['allow-create/device-generated'];
  const server = new SimulatedServer(
    { time, trace, random: dice, network: virtualNetwork },
    strategy,
    'separate',
  );
  server.setConditions(virtualNetwork.conditions);
  server.core.admin.createDevice({ name: GATEWAY.name, token: TOKEN });
  const { timing } = path;
  const ports: CoapPorts = {
    clock: time.clock(Date.UTC(2026, 0, 1)),
    random: { uniform: () => dice.random() },
    openSocket: () => virtualNetwork.openSocket((act) => act()),
    ownAddresses: () => 'one',
    ...(timing && { timingOf: () => timing(dice.random()) }),
  };
  await using transport = new CoapTransport({ host: GATEWAY.host, port: GATEWAY.port }, ports);
  const failed: string[] = [];
  let left = path.posts;
  const { signal } = new AbortController();
  const postOneByOne = async () => {
    while (left-- > 0) {
      const result = await transport.postTelemetry(new Secret(TOKEN), BODY, signal);
      if (!result.ok) failed.push(result.failure.reason);
    }
  };
  let isOver = false;
  void Promise.all(Array.from({ length: path.inFlight }, postOneByOne)).then(() => {
    isOver = true;
  });
  await time.run(FOR_EVER_MS, () => isOver);
  server.stop();
  return { tookMs: time.nowMs, failed, datagrams };
}

function lane({ lostShare, delayMs }: LossyPath): PathConditions {
  return {
    lostShare,
    doubledShare: 0,
    lateShare: 0,
    lateMsMax: 0,
    delayMsMin: 0.8 * delayMs,
    delayMsMax: 1.2 * delayMs,
  };
}
