/**
 * A request that must be made once only: it is given up where no datagram can have arrived, goes on where one
 * may have, and its answer is acknowledged when the token is kept and not before.
 */

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import type { Packet } from 'coap-packet';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import type { OpenSocket } from '../../../src/transport/coap/message-layer.ts';
import type { RetransmissionTiming, RetransmitPolicy } from '../../../src/transport/coap/retransmission.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import { answer, emptyAck, patterns, ScriptedPeer } from './helpers/scripted-peer.ts';

const neverAborted = new AbortController().signal;
const persistNothing = async () => {};
const SUCCESS =
  '{"credentialsValue":"sLzc0gDAZPkGMzFVTyUY","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}';
const request = { deviceName: 'gw-0001', key: 'pk1', secret: new Secret('ps1') };
/** Repeats soon and gives up late: what ends early was ended by something else. */
const FREQUENT: RetransmissionTiming = {
  retransmitAfterMs: Array(100).fill(40),
  noAckTimeoutMs: 4_000,
  responseTimeoutMs: 4_000,
};
/** Repeats nothing: every repetition seen is the peer's. */
const NO_RETRANSMISSION: RetransmissionTiming = {
  retransmitAfterMs: [],
  noAckTimeoutMs: 4_000,
  responseTimeoutMs: 4_000,
};

function transportTo(
  port: number,
  timing: RetransmissionTiming,
  openSocket: OpenSocket = createSocket,
): CoapTransport {
  const ports = { clock: hostClock(), random: { uniform: () => 0 }, timingOf: () => timing, openSocket };
  return new CoapTransport({ host: '127.0.0.1', port }, ports);
}

test('provisioning is a single request, whoever chooses the token; the others are usual', {
  timeout: 5_000,
}, async () => {
  await using peer = await ScriptedPeer.open(patterns.piggybacked('2.01', SUCCESS));
  const requests: RetransmitPolicy[] = [];
  const timingOf = (policy: RetransmitPolicy) => {
    requests.push(policy);
    return NO_RETRANSMISSION;
  };
  await using road = new CoapTransport(
    { host: '127.0.0.1', port: peer.port },
    { clock: hostClock(), random: { uniform: () => 0 }, timingOf },
  );
  const token = new Secret('ourOwnToken1234567890');
  await road.provision(request, persistNothing, neverAborted);
  await road.provision({ ...request, token }, persistNothing, neverAborted);
  await road.probe(token, neverAborted);
  await road.postTelemetry(token, '[]', neverAborted);
  assert.deepEqual(requests, ['once', 'once', 'retryable', 'retryable']);
});

test('a single request ends at once when the network refused every datagram of it', {
  timeout: 5_000,
}, async () => {
  const peer = await ScriptedPeer.open(patterns.silence());
  await peer[Symbol.asyncDispose]();
  await using road = transportTo(peer.port, FREQUENT);
  const beganMs = performance.now();
  const result = await road.provision(request, persistNothing, neverAborted);
  const tookMs = performance.now() - beganMs;
  assert.equal(result.ok ? 'issued' : result.failure.reason, 'port-closed');
  assert.ok(tookMs < FREQUENT.noAckTimeoutMs / 2, `${tookMs} ms`);
});

for (const [how, script, tries] of [
  ['was not answered', patterns.silence(), 3],
  ['was acknowledged', patterns.ackThenSilence(), 3],
] as const) {
  test(`a single request whose first datagram ${how} outlives a port that is closed for a while`, {
    timeout: 5_000,
  }, async () => {
    const first = await ScriptedPeer.open((requests, send, from) => {
      script(requests, send, from);
      closing ??= first[Symbol.asyncDispose]();
    });
    let closing: Promise<void> | undefined;
    let refused = 0;
    let second: ScriptedPeer | undefined;
    /** The socket of this host; the peer comes back when the network has refused `tries` datagrams. */
    const openSocket: OpenSocket = (type) =>
      createSocket(type).on('error', async () => {
        refused += 1;
        if (refused !== tries) return;
        await closing;
        second = await ScriptedPeer.open(patterns.piggybacked('2.01', SUCCESS), '127.0.0.1', first.port);
      });
    await using road = transportTo(first.port, FREQUENT, openSocket);
    const result = await road.provision(request, persistNothing, neverAborted);
    assert.equal(result.ok ? 'issued' : result.failure.reason, 'issued');
    assert.equal(first.received.length, 1);
    assert.equal(second?.received[0]?.messageId, first.received[0]?.messageId);
    await second?.[Symbol.asyncDispose]();
  });
}

test('a repeated answer meets silence until the token is kept, and an acknowledgement after that', {
  timeout: 5_000,
}, async () => {
  let repeat: (packet: Packet) => void = () => {};
  let said: Packet | undefined;
  await using peer = await ScriptedPeer.open((requests, send) => {
    repeat = send;
    said = { ...answer(requests, '2.01', SUCCESS), confirmable: true };
    send(emptyAck(requests));
    send(said);
  });
  await using road = transportTo(peer.port, NO_RETRANSMISSION);
  /** The answer once more, then a ping, whose reset says that both have been dealt with. */
  const again = async (ping: number) => {
    if (said) repeat(said);
    repeat({ code: '0.00', confirmable: true, messageId: ping });
    await peer.packet(({ messageId, reset }) => reset && messageId === ping);
    return peer.received.filter(({ messageId }) => messageId === said?.messageId);
  };
  const meanwhile: unknown[] = [];
  const result = await road.provision(
    request,
    async () => {
      for (const ping of [1, 2, 3]) meanwhile.push(...(await again(ping)));
    },
    neverAborted,
  );
  assert.ok(result.ok);
  assert.deepEqual(meanwhile, []);
  for (const [count, ping] of [
    [2, 4],
    [3, 5],
  ] as const) {
    const told = await again(ping);
    assert.equal(told.length, count);
    assert.ok(told.every(({ ack, reset }) => ack && !reset));
  }
});

test('a repeated answer meets silence when the token could not be kept: it was never taken', {
  timeout: 5_000,
}, async () => {
  let repeat: (packet: Packet) => void = () => {};
  let said: Packet | undefined;
  await using peer = await ScriptedPeer.open((requests, send) => {
    repeat = send;
    said = { ...answer(requests, '2.01', SUCCESS), confirmable: true };
    send(said);
  });
  await using road = transportTo(peer.port, NO_RETRANSMISSION);
  await assert.rejects(
    road.provision(request, () => Promise.reject(new Error('disk full')), neverAborted),
    /full/,
  );
  if (said) repeat(said);
  repeat({ code: '0.00', confirmable: true, messageId: 1 });
  await peer.packet(({ messageId, reset }) => reset && messageId === 1);
  assert.ok(peer.received.every(({ messageId }) => messageId !== said?.messageId));
});
