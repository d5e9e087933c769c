/**
 * Posts over a lossy network in virtual time: the CoAP transport, the sandbox as server, and between them a
 * network that loses a share of all datagrams in each direction, from a seed. Counts time, datagrams and
 * failures.
 */

import { Secret } from '../../../../src/core/model/secret.ts';
import type { RetransmissionTiming } from '../../../../src/transport/coap/retransmission-timing.ts';
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
  /** One way; each datagram takes 0.8 to 1.2 times this. */
  readonly delayMs: number;
  readonly posts: number;
  readonly inFlight: number;
  readonly seed: number;
  /** Default: the adaptive timing of the agent. */
  readonly timing?: (uniform: number) => RetransmissionTiming;
}

export interface Cost {
  readonly tookMs: number;
  readonly failed: readonly string[];
  /** Requests sent by the gateway, including retransmissions. */
  readonly datagrams: number;
}

/** The fixed timing of RFC 7252. */
export function fixedTiming(uniform: number): RetransmissionTiming {
  const firstMs = Math.round(2_000 * (1 + uniform / 2));
  return {
    retransmitAfterMs: [firstMs, firstMs * 2, firstMs * 4, firstMs * 8],
    noAckTimeoutMs: 45_000,
    responseTimeoutMs: 15_000,
  };
}

export async function runPosts(path: LossyPath): Promise<Cost> {
  const random = new SeededRandom(path.seed);
  const time = new VirtualTime();
  const trace = new Trace(() => time.nowMs, false);
  let datagrams = 0;
  // 0.02 is POST; every other datagram of the gateway is an acknowledgement.
  const onGatewaySend = (_port: number, bytes: Buffer) => {
    if (bytes.readUInt8(1) === 2) datagrams += 1;
  };
  const virtualNetwork = new VirtualNetwork({
    time,
    trace,
    random,
    observer: { onGatewaySend, onServerSend: () => {} },
  });
  virtualNetwork.conditions = { ...NO_FAULTS, up: lane(path), down: lane(path) };
  const strategy = STRATEGIES['allow-create/device-generated'];
  const server = new SimulatedServer({ time, trace, random, network: virtualNetwork }, strategy, 'separate');
  server.setConditions(virtualNetwork.conditions);
  server.core.admin.createDevice({ name: GATEWAY.name, token: TOKEN });
  const { timing } = path;
  const ports: CoapPorts = {
    clock: time.clock(Date.UTC(2026, 0, 1)),
    random: { uniform: () => random.random() },
    openSocket: () => virtualNetwork.openSocket((act) => act()),
    ownAddresses: () => 'one',
    ...(timing && { timingOf: () => timing(random.random()) }),
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
