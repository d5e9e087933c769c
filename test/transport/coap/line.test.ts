/** When the socket is kept and when it is re-made: the network under a gateway changes without telling. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { hostClock } from '../../../src/host/clock.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import { patterns, ScriptedPeer } from './scripted-peer.ts';

const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const BODY = '[{"ts":1700000000000,"values":{"cpu":12.5}}]';

/** A road over real UDP whose host has the addresses, the resolver and the monotonic time the test gives it. */
class MovingHost implements AsyncDisposable {
  addresses = 'fe80::1 192.0.2.10';
  resolvesTo = '127.0.0.1';
  resolved = 0;
  laterMs = 0;
  readonly peer: ScriptedPeer;
  readonly road: CoapTransport;

  constructor(peer: ScriptedPeer) {
    const clock = hostClock();
    this.peer = peer;
    this.road = new CoapTransport(
      { host: 'server.example', port: peer.port },
      {
        clock: { ...clock, monotonicMs: () => clock.monotonicMs() + this.laterMs },
        chance: { random: () => 0 },
        ownAddresses: () => this.addresses,
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
