/**
 * A request that must be sent only once: it fails at once if no datagram can have arrived, continues if one
 * may have, and its response is acknowledged only after the token has been persisted.
 */

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import type { Packet } from 'coap-packet';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import type {
  RetransmissionTiming,
  RetransmitPolicy,
} from '../../../src/transport/coap/retransmission-timing.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import type { OpenSocket } from '../../../src/transport/datagram-socket.ts';
import { answer, emptyAck, patterns, ScriptedPeer } from './helpers/scripted-peer.ts';

const neverAborted = new AbortController().signal;
const persistNothing = async () => {};
const SUCCESS =
  '{"credentialsValue":"sLzc0gDAZPkGMzFVTyUY","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}';
const request = { deviceName: 'gw-0001', key: 'pk1', secret: new Secret('ps1') };
/** Retransmits early and times out late, so that an early end has another cause. */
const FREQUENT: RetransmissionTiming = {
  retransmitAfterMs: Array(100).fill(40),
  noAckTimeoutMs: 4_000,
  responseTimeoutMs: 4_000,
};
/** No retransmissions, so that all repetitions come from the peer. */
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

test('provisioning is a once request, all others are retryable', {
  timeout: 5_000,
}, async () => {
  await using peer = await ScriptedPeer.open(patterns.piggybacked('2.01', SUCCESS));
  const requests: RetransmitPolicy[] = [];
  const timingOf = (policy: RetransmitPolicy) => {
    requests.push(policy);
    return NO_RETRANSMISSION;
  };
  await using transport = new CoapTransport(
    { host: '127.0.0.1', port: peer.port },
    { clock: hostClock(), random: { uniform: () => 0 }, timingOf },
  );
  const token = new Secret('ourOwnToken1234567890');
  await transport.provision(request, persistNothing, neverAborted);
  await transport.provision({ ...request, token }, persistNothing, neverAborted);
  await transport.probe(token, neverAborted);
  await transport.postTelemetry(token, '[]', neverAborted);
  assert.deepEqual(requests, ['once', 'once', 'retryable', 'retryable']);
});

test('a once request ends at once if the network rejects all its datagrams', {
  timeout: 5_000,
}, async () => {
  const peer = await ScriptedPeer.open(patterns.silence());
  await peer[Symbol.asyncDispose]();
  await using transport = transportTo(peer.port, FREQUENT);
  const beganMs = performance.now();
  const result = await transport.provision(request, persistNothing, neverAborted);
  const tookMs = performance.now() - beganMs;
  assert.equal(result.ok ? 'issued' : result.failure.reason, 'port-closed');
  assert.ok(tookMs < FREQUENT.noAckTimeoutMs / 2, `${tookMs} ms`);
});

for (const [how, script, tries] of [
  ['was not answered', patterns.silence(), 3],
  ['was acknowledged', patterns.ackThenSilence(), 3],
] as const) {
  test(`a once request whose first datagram ${how} survives a closed port`, {
    timeout: 5_000,
  }, async () => {
    const first = await ScriptedPeer.open((requests, send, from) => {
      script(requests, send, from);
      closing ??= first[Symbol.asyncDispose]();
    });
    let closing: Promise<void> | undefined;
    let rejected = 0;
    let second: ScriptedPeer | undefined;
    /** The socket of this host; the peer restarts after the network has rejected `tries` datagrams. */
    const openSocket: OpenSocket = (type) =>
      createSocket(type).on('error', async () => {
        rejected += 1;
        if (rejected !== tries) return;
        await closing;
        second = await ScriptedPeer.open(patterns.piggybacked('2.01', SUCCESS), '127.0.0.1', first.port);
      });
    await using transport = transportTo(first.port, FREQUENT, openSocket);
    const result = await transport.provision(request, persistNothing, neverAborted);
    assert.equal(result.ok ? 'issued' : result.failure.reason, 'issued');
    assert.equal(first.received.length, 1);
    assert.equal(second?.received[0]?.messageId, first.received[0]?.messageId);
    await second?.[Symbol.asyncDispose]();
  });
}

test('a repeated response is acknowledged only after the token is persisted', {
  timeout: 5_000,
}, async () => {
  let repeat: (packet: Packet) => void = () => {};
  let response: Packet | undefined;
  await using peer = await ScriptedPeer.open((requests, send) => {
    repeat = send;
    response = { ...answer(requests, '2.01', SUCCESS), confirmable: true };
    send(emptyAck(requests));
    send(response);
  });
  await using transport = transportTo(peer.port, NO_RETRANSMISSION);
  /** Repeats the response, then pings: the reset to the ping shows that both have been handled. */
  const repeatAndPing = async (ping: number) => {
    if (response) repeat(response);
    repeat({ code: '0.00', confirmable: true, messageId: ping });
    await peer.packet(({ messageId, reset }) => reset && messageId === ping);
    return peer.received.filter(({ messageId }) => messageId === response?.messageId);
  };
  const meanwhile: unknown[] = [];
  const result = await transport.provision(
    request,
    async () => {
      for (const ping of [1, 2, 3]) meanwhile.push(...(await repeatAndPing(ping)));
    },
    neverAborted,
  );
  assert.ok(result.ok);
  assert.deepEqual(meanwhile, []);
  for (const [count, ping] of [
    [2, 4],
    [3, 5],
  ] as const) {
    const replies = await repeatAndPing(ping);
    assert.equal(replies.length, count);
    assert.ok(replies.every(({ ack, reset }) => ack && !reset));
  }
});

test('a repeated response is not acknowledged if the token was not persisted', {
  timeout: 5_000,
}, async () => {
  let repeat: (packet: Packet) => void = () => {};
  let response: Packet | undefined;
  await using peer = await ScriptedPeer.open((requests, send) => {
    repeat = send;
    response = { ...answer(requests, '2.01', SUCCESS), confirmable: true };
    send(response);
  });
  await using transport = transportTo(peer.port, NO_RETRANSMISSION);
  await assert.rejects(
    transport.provision(request, () => Promise.reject(new Error('disk full')), neverAborted),
    /full/,
  );
  if (response) repeat(response);
  repeat({ code: '0.00', confirmable: true, messageId: 1 });
  await peer.packet(({ messageId, reset }) => reset && messageId === 1);
  assert.ok(peer.received.every(({ messageId }) => messageId !== response?.messageId));
});
