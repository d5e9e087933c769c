/** When the socket is kept and when it is re-made: the network under a gateway changes without telling. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEADLINE } from '../../../src/core/async/abort.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { retransmissionTiming } from '../../../src/transport/coap/retransmission.ts';
import { RTO_INITIAL_MS } from '../../../src/transport/coap/rto-estimator.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import { patterns, ScriptedPeer } from './helpers/scripted-peer.ts';

const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const BODY = '[{"ts":1700000000000,"values":{"cpu":12.5}}]';

/** A road over real UDP whose host has the addresses, the resolver and the monotonic time the test gives it. */
class MovingHost implements AsyncDisposable {
  addresses = 'fe80::1 192.0.2.10';
  resolvesTo = '127.0.0.1';
  resolved = 0;
  laterMs = 0;
  /** The retransmission time-out of each request, in order. */
  readonly timeOutsMs: number[] = [];
  readonly peer: ScriptedPeer;
  readonly road: CoapTransport;

  constructor(peer: ScriptedPeer) {
    const clock = hostClock();
    this.peer = peer;
    this.road = new CoapTransport(
      { host: 'server.example', port: peer.port },
      {
        clock: { ...clock, monotonicMs: () => clock.monotonicMs() + this.laterMs },
        random: { uniform: () => 0 },
        ownAddresses: () => this.addresses,
        timingOf: (policy, rtoMs) => {
          this.timeOutsMs.push(rtoMs);
          // An answer that does not follow its acknowledgement is not waited for: tests have no 15 s.
          return { ...retransmissionTiming(policy, 0, rtoMs), responseTimeoutMs: 50 };
        },
        resolve: async (_host, port) => {
          this.resolved += 1;
          return { ok: true, value: [{ address: this.resolvesTo, family: 4, port }] };
        },
      },
    );
  }

  async post(): Promise<void> {
    const result = await this.road.postTelemetry(TOKEN, BODY, new AbortController().signal);
    assert.deepEqual(result, { ok: true, value: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.road[Symbol.asyncDispose]();
    await this.peer[Symbol.asyncDispose]();
  }
}

test('while nothing changes, hours of posts use one socket and one look at the name', {
  timeout: 10_000,
}, async () => {
  await using host = new MovingHost(await ScriptedPeer.open(patterns.confirmableWithoutAck('2.01')));
  for (let hour = 0; hour < 10; hour += 1) {
    await host.post();
    host.laterMs += 3_600_000;
  }
  assert.equal(host.peer.sourcePorts.size, 1);
  assert.equal(host.resolved, 1);
});

test('after a new address of this host the next post leaves from a new socket, to the name resolved anew', {
  timeout: 10_000,
}, async () => {
  await using host = new MovingHost(await ScriptedPeer.open(patterns.confirmableWithoutAck('2.01')));
  await host.post();
  host.addresses = 'fe80::1 192.0.2.77';
  host.laterMs += 2_000;
  await host.post();
  assert.equal(host.peer.sourcePorts.size, 2);
  assert.equal(host.resolved, 2);
});

test('a socket is not taken away from under an exchange that is still open', {
  timeout: 10_000,
}, async () => {
  const held: (() => void)[] = [];
  const peer = await ScriptedPeer.open((request, send) => {
    held.push(() =>
      patterns.piggybacked('2.01')(request, send, { address: '', port: 0, family: 'IPv4', size: 0 }),
    );
  });
  await using host = new MovingHost(peer);
  const first = host.post();
  await peer.packet(() => true);
  host.addresses = 'changed';
  host.laterMs += 2_000;
  const second = host.post();
  while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
  for (const release of held) release();
  await Promise.all([first, second]);
  assert.equal(peer.sourcePorts.size, 1);
});

/** Leaves the host with a round trip learnt, and a socket that the next request will not use. */
async function openWithStuckPost(): Promise<MovingHost> {
  const host = new MovingHost(await ScriptedPeer.open(patterns.confirmableWithoutAck('2.01')));
  await host.post();
  host.peer.script = patterns.ackThenSilence();
  const { ok } = await host.road.postTelemetry(TOKEN, BODY, new AbortController().signal);
  assert.equal(ok, false);
  assert.ok(Number(host.timeOutsMs.at(-1)) < RTO_INITIAL_MS, `${host.timeOutsMs}`);
  host.peer.script = patterns.confirmableWithoutAck('2.01');
  return host;
}

test('what was learnt of the round trip serves the next socket to the same peer', {
  timeout: 10_000,
}, async () => {
  await using host = await openWithStuckPost();
  await host.post();
  assert.equal(host.peer.sourcePorts.size, 2);
  assert.ok(Number(host.timeOutsMs.at(-1)) < RTO_INITIAL_MS, `${host.timeOutsMs}`);
});

test('after a new address of this host the round trip is learnt anew', { timeout: 10_000 }, async () => {
  await using host = await openWithStuckPost();
  host.addresses = 'fe80::1 192.0.2.77';
  await host.post();
  assert.equal(host.timeOutsMs.at(-1), RTO_INITIAL_MS);
});

test('to another address of the peer the round trip is learnt anew', { timeout: 10_000 }, async () => {
  await using host = await openWithStuckPost();
  await using _other = await ScriptedPeer.open(
    patterns.confirmableWithoutAck('2.01'),
    '127.0.0.2',
    host.peer.port,
  );
  host.resolvesTo = '127.0.0.2';
  await host.post();
  assert.equal(host.timeOutsMs.at(-1), RTO_INITIAL_MS);
});

test('a caller whose own patience is over has met a silence: the name is looked up anew for the next', {
  timeout: 10_000,
}, async () => {
  await using host = new MovingHost(await ScriptedPeer.open(patterns.silence()));
  const late = new AbortController();
  const posting = host.road.postTelemetry(TOKEN, BODY, late.signal);
  await new Promise((resolve) => setTimeout(resolve, 20));
  late.abort(DEADLINE);
  const result = await posting;
  assert.equal(result.ok || result.failure.reason, 'server-timeout');
  const stop = new AbortController();
  const again = host.road.postTelemetry(TOKEN, BODY, stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  const stopped = await again;
  assert.equal(stopped.ok || stopped.failure.reason, 'aborted');
  assert.equal(host.resolved, 2);
});
