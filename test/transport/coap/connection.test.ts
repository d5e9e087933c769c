/** When the CoAP connection keeps its socket and when it reconnects. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEADLINE } from '../../../src/core/async/abort.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { retransmissionTiming } from '../../../src/transport/coap/retransmission-timing.ts';
import { RTO_INITIAL_MS } from '../../../src/transport/coap/rto-estimator.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import { patterns, ScriptedPeer } from './helpers/scripted-peer.ts';

const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const BODY = '[{"ts":1700000000000,"values":{"cpu":12.5}}]';

/** A transport over real UDP on a host with changeable addresses, resolver and monotonic time. */
class MovingHost implements AsyncDisposable {
  addresses = 'fe80::1 192.0.2.10';
  resolvesTo = '127.0.0.1';
  resolved = 0;
  laterMs = 0;
  /** The RTO of each request, in order. */
  readonly rtosMs: number[] = [];
  readonly peer: ScriptedPeer;
  readonly transport: CoapTransport;

  constructor(peer: ScriptedPeer) {
    const clock = hostClock();
    this.peer = peer;
    this.transport = new CoapTransport(
      { host: 'server.example', port: peer.port },
      {
        clock: { ...clock, monotonicMs: () => clock.monotonicMs() + this.laterMs },
        random: { uniform: () => 0 },
        ownAddresses: () => this.addresses,
        timingOf: (policy, rtoMs) => {
          this.rtosMs.push(rtoMs);
          // 50 ms instead of 15 s for a response after an acknowledgement.
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
    const result = await this.transport.postTelemetry(TOKEN, BODY, new AbortController().signal);
    assert.deepEqual(result, { ok: true, value: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport[Symbol.asyncDispose]();
    await this.peer[Symbol.asyncDispose]();
  }
}

test('hours of posts on a stable network use one socket and one lookup', {
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

test('a new address of the host causes a new socket and a new lookup', {
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

test('a socket stays open while an exchange is open', {
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

/** A host with a measured RTO and a socket that the next request will replace. */
async function openWithStuckPost(): Promise<MovingHost> {
  const host = new MovingHost(await ScriptedPeer.open(patterns.confirmableWithoutAck('2.01')));
  await host.post();
  host.peer.script = patterns.ackThenSilence();
  const { ok } = await host.transport.postTelemetry(TOKEN, BODY, new AbortController().signal);
  assert.equal(ok, false);
  assert.ok(Number(host.rtosMs.at(-1)) < RTO_INITIAL_MS, `${host.rtosMs}`);
  host.peer.script = patterns.confirmableWithoutAck('2.01');
  return host;
}

test('the RTO survives a new socket to the same peer', {
  timeout: 10_000,
}, async () => {
  await using host = await openWithStuckPost();
  await host.post();
  assert.equal(host.peer.sourcePorts.size, 2);
  assert.ok(Number(host.rtosMs.at(-1)) < RTO_INITIAL_MS, `${host.rtosMs}`);
});

test('the RTO starts again after a new address of the host', { timeout: 10_000 }, async () => {
  await using host = await openWithStuckPost();
  host.addresses = 'fe80::1 192.0.2.77';
  await host.post();
  assert.equal(host.rtosMs.at(-1), RTO_INITIAL_MS);
});

test('the RTO starts again for another address of the peer', { timeout: 10_000 }, async () => {
  await using host = await openWithStuckPost();
  await using _other = await ScriptedPeer.open(
    patterns.confirmableWithoutAck('2.01'),
    '127.0.0.2',
    host.peer.port,
  );
  host.resolvesTo = '127.0.0.2';
  await host.post();
  assert.equal(host.rtosMs.at(-1), RTO_INITIAL_MS);
});

test('the deadline of a caller counts as a timeout and causes a new lookup', {
  timeout: 10_000,
}, async () => {
  await using host = new MovingHost(await ScriptedPeer.open(patterns.silence()));
  const late = new AbortController();
  const posting = host.transport.postTelemetry(TOKEN, BODY, late.signal);
  await new Promise((resolve) => setTimeout(resolve, 20));
  late.abort(DEADLINE);
  const result = await posting;
  assert.equal(result.ok || result.failure.reason, 'server-timeout');
  const stop = new AbortController();
  const again = host.transport.postTelemetry(TOKEN, BODY, stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  const stopped = await again;
  assert.equal(stopped.ok || stopped.failure.reason, 'aborted');
  assert.equal(host.resolved, 2);
});
