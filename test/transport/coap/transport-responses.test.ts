/** Every response pattern of the contract gives the correct result, on real UDP. */

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import type { RetransmissionTiming } from '../../../src/transport/coap/retransmission-timing.ts';
import { type CoapPorts, CoapTransport } from '../../../src/transport/coap/transport.ts';
import type { Resolve } from '../../../src/transport/resolve.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import {
  answer,
  emptyAck,
  identifiedAsThingsBoard,
  patterns,
  type Script,
  ScriptedPeer,
} from './helpers/scripted-peer.ts';

const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const BODY = '[{"ts":1700000000000,"values":{"cpu":12.5}}]';
/** For timeouts: with a virtual clock, or if a late datagram cannot change the result. */
const QUICK: RetransmissionTiming = {
  retransmitAfterMs: [20, 40, 80],
  noAckTimeoutMs: 300,
  responseTimeoutMs: 100,
};
/** For responses that arrive: a busy machine must not cause a timeout. */
const PATIENT: RetransmissionTiming = {
  retransmitAfterMs: [10_000],
  noAckTimeoutMs: 25_000,
  responseTimeoutMs: 25_000,
};
/** For an acknowledgement that arrives and a response that does not. */
const SHORT: RetransmissionTiming = { retransmitAfterMs: [], noAckTimeoutMs: 25_000, responseTimeoutMs: 100 };
const timeout = 30_000;
const neverAborted = new AbortController().signal;

async function openPeerAndTransport(
  script: Script,
  timing: RetransmissionTiming = PATIENT,
  more: Partial<CoapPorts> = {},
) {
  const peer = await ScriptedPeer.open(script);
  const transport = transportTo('127.0.0.1', peer.port, timing, more);
  return {
    peer,
    transport,
    [Symbol.asyncDispose]: async () =>
      void (await Promise.all([peer[Symbol.asyncDispose](), transport[Symbol.asyncDispose]()])),
  };
}

function transportTo(
  host: string,
  port: number,
  timing: RetransmissionTiming,
  more: Partial<CoapPorts> = {},
): CoapTransport {
  const ports = { clock: hostClock(), random: { uniform: () => 0 }, timingOf: () => timing };
  return new CoapTransport({ host, port }, { ...ports, ...more });
}

for (const name of [
  'piggybacked',
  'confirmableWithoutAck',
  'ackThenConfirmable',
  'confirmableBeforeAck',
  'nonConfirmable',
] as const) {
  test(`telemetry answered 2.01 ${name} is accepted, and sent once`, { timeout }, async () => {
    await using both = await openPeerAndTransport(patterns[name]('2.01'));
    assert.deepEqual(await both.transport.postTelemetry(TOKEN, BODY, neverAborted), {
      ok: true,
      value: undefined,
    });
    assert.equal(both.peer.received.filter((packet) => packet.code === '0.02').length, 1);
  });

  test(`an error answered ${name} keeps its code`, { timeout }, async () => {
    await using both = await openPeerAndTransport(identifiedAsThingsBoard(patterns[name]('4.01')));
    const result = await both.transport.postTelemetry(TOKEN, BODY, neverAborted);
    assert.deepEqual(result, { ok: false, failure: { reason: 'unauthorized', detail: 'response 4.01' } });
  });
}

test('a confirmable response is acknowledged with its own message ID', { timeout }, async () => {
  await using both = await openPeerAndTransport(patterns.confirmableWithoutAck('2.01'));
  await both.transport.postTelemetry(TOKEN, BODY, neverAborted);
  const acknowledgement = await both.peer.packet((packet) => packet.ack);
  assert.equal(acknowledgement.code, '0.00');
  assert.equal(acknowledgement.token.length, 0);
});

test('a confirmable response is acknowledged again when it is repeated', {
  timeout,
}, async () => {
  let again: () => void = () => {};
  await using both = await openPeerAndTransport((request, send) => {
    const once = { ...answer(request, '2.01'), confirmable: true };
    send(once);
    again = () => send(once);
  });
  await both.transport.postTelemetry(TOKEN, BODY, neverAborted);
  await both.peer.packet((packet) => packet.ack);
  both.peer.received.length = 0;
  again();
  assert.equal((await both.peer.packet((packet) => packet.code === '0.00')).ack, true);
});

test('a confirmable response without a request is reset', {
  timeout,
}, async () => {
  await using both = await openPeerAndTransport((request, send) => {
    send({ ...answer({ ...request, token: Buffer.from('ffff', 'hex') }, '2.05', 'x'), confirmable: true });
    send({ ...answer(request, '2.01') });
  });
  await both.transport.postTelemetry(TOKEN, BODY, neverAborted);
  assert.equal((await both.peer.packet((packet) => packet.code === '0.00')).reset, true);
});

for (const [name, script, reason, timing] of [
  ['a reset', patterns.reset(), 'connection-reset', PATIENT],
  ['silence', patterns.silence(), 'server-timeout', QUICK],
  ['an acknowledgement and then silence', patterns.ackThenSilence(), 'no-response-after-ack', SHORT],
  ['5.00', patterns.piggybacked('5.00'), 'server-overloaded', PATIENT],
  ['4.00', patterns.piggybacked('4.00'), 'request-malformed', PATIENT],
  ['4.04', patterns.confirmableWithoutAck('4.04'), 'unexpected-response', PATIENT],
  ['2.04, which ThingsBoard never sends', patterns.piggybacked('2.04'), 'unexpected-response', PATIENT],
  ['an impossible code 7.31, then nothing', patterns.piggybacked('7.31'), 'server-timeout', QUICK],
] as const) {
  test(`telemetry answered by ${name} fails as ${reason}`, { timeout }, async () => {
    await using both = await openPeerAndTransport(script, timing);
    const result = await both.transport.postTelemetry(TOKEN, BODY, neverAborted);
    assert.equal(result.ok ? 'accepted' : result.failure.reason, reason);
  });
}

test('a request without a response is retransmitted unchanged until its deadline', {
  timeout,
}, async () => {
  const clock = new VirtualClock();
  await using both = await openPeerAndTransport(patterns.silence(), QUICK, { clock });
  const posted = both.transport.postTelemetry(TOKEN, BODY, neverAborted);
  const seen = [];
  for (const pauseMs of [0, ...QUICK.retransmitAfterMs]) {
    await clock.advance(pauseMs);
    seen.push(await both.peer.nth(seen.length));
  }
  assert.equal(clock.monotonicMs(), 20 + 40 + 80);
  await clock.advance(QUICK.noAckTimeoutMs - clock.monotonicMs());
  const result = await posted;
  assert.equal(result.ok ? 'accepted' : result.failure.reason, 'server-timeout');
  // Loopback datagrams stay in order: further retransmissions would arrive before this one.
  await using mark = transportTo('127.0.0.1', both.peer.port, PATIENT);
  both.peer.script = patterns.piggybacked('2.01');
  await mark.postTelemetry(TOKEN, '{"mark":1}', neverAborted);
  assert.equal(both.peer.received.length, seen.length + 1);
  const identities = seen.map((packet) => `${packet.messageId} ${packet.token.toString('hex')}`);
  assert.equal(new Set(identities).size, 1);
  assert.equal(both.peer.sourcePorts.size, 2, 'one of the transport, one of the mark');
});

test('sequential requests use one source port', { timeout }, async () => {
  await using both = await openPeerAndTransport(patterns.confirmableWithoutAck('2.01'));
  for (let post = 0; post < 20; post += 1) await both.transport.postTelemetry(TOKEN, BODY, neverAborted);
  assert.equal(both.peer.sourcePorts.size, 1);
});

test('the request after a timeout uses a new socket', { timeout }, async () => {
  let timing = QUICK;
  await using both = await openPeerAndTransport(patterns.silence(), QUICK, { timingOf: () => timing });
  await both.transport.postTelemetry(TOKEN, BODY, neverAborted);
  both.peer.script = patterns.piggybacked('2.01');
  timing = PATIENT;
  assert.equal((await both.transport.postTelemetry(TOKEN, BODY, neverAborted)).ok, true);
  assert.equal(both.peer.sourcePorts.size, 2);
});

test('a closed port fails at once as port-closed', { timeout }, async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await using transport = transportTo('127.0.0.1', port, PATIENT);
  const result = await transport.postTelemetry(TOKEN, BODY, neverAborted);
  assert.deepEqual(result, {
    ok: false,
    failure: { reason: 'port-closed', detail: `127.0.0.1:${port}: port closed (ECONNREFUSED)` },
  });
});

test('an unknown name and an address without a route are distinguished', {
  timeout,
}, async () => {
  await using unknown = transportTo('no-such-host.invalid', 5683, PATIENT);
  const unresolved = await unknown.postTelemetry(TOKEN, BODY, neverAborted);
  assert.equal(unresolved.ok ? '' : unresolved.failure.reason, 'dns-failed');
  // 240.0.0.0/4 is reserved (RFC 1112 section 4): Linux has no route to 255.255.255.255 for a socket without
  // SO_BROADCAST.
  await using unreachable = transportTo('255.255.255.255', 5683, PATIENT);
  const unrouted = await unreachable.postTelemetry(TOKEN, BODY, neverAborted);
  assert.equal(unrouted.ok ? '' : unrouted.failure.reason, 'no-route');
});

test('a request to an IPv6 literal succeeds', {
  timeout,
}, async (t) => {
  const peer6 = await ScriptedPeer.open(patterns.confirmableWithoutAck('2.01'), '::1').catch(() => undefined);
  if (!peer6) return t.skip('this machine has no IPv6 loopback');
  await using peer = peer6;
  await using literal = transportTo('::1', peer.port, PATIENT);
  assert.equal((await literal.postTelemetry(TOKEN, BODY, neverAborted)).ok, true);
});

test('a request uses the next address of a name if the first is closed', {
  timeout,
}, async () => {
  await using both = await openPeerAndTransport(patterns.confirmableWithoutAck('2.01'));
  const resolve: Resolve = async (_host, port) => ({
    ok: true,
    value: [
      { address: '127.0.0.2', family: 4, port },
      { address: '127.0.0.1', family: 4, port },
    ],
  });
  await using named = transportTo('two.example', both.peer.port, PATIENT, { resolve });
  assert.equal((await named.postTelemetry(TOKEN, BODY, neverAborted)).ok, true);
});

test('an abort ends a waiting request at once', { timeout }, async () => {
  await using both = await openPeerAndTransport(patterns.silence());
  const stop = new AbortController();
  const waiting = both.transport.postTelemetry(TOKEN, BODY, stop.signal);
  await both.peer.packet(() => true);
  stop.abort();
  const result = await waiting;
  assert.equal(result.ok ? '' : result.failure.reason, 'aborted');
});

test('a response from another port with the right token is ignored', { timeout }, async () => {
  const stranger = createSocket('udp4').bind(0, '127.0.0.1');
  await once(stranger, 'listening');
  let forgeries = 0;
  await using both = await openPeerAndTransport((request, send, from) => {
    if (forgeries++ > 0) return;
    const messageId = Buffer.from([request.messageId >> 8, request.messageId & 255]);
    const forged = Buffer.concat([Buffer.from([0x68, 0x41]), messageId, request.token]);
    stranger.send(forged, from.port, from.address, () => send(answer(request, '4.00')));
  });
  const result = await both.transport.postTelemetry(TOKEN, BODY, neverAborted);
  stranger.close();
  assert.equal(result.ok ? 'accepted the forgery' : result.failure.reason, 'request-malformed');
});

test('four concurrent posts get their own response in reverse order', {
  timeout,
}, async () => {
  const blockedSend: (() => void)[] = [];
  await using both = await openPeerAndTransport((request, send) => {
    send(emptyAck(request));
    const code = request.payload.toString().includes('bad') ? '4.00' : '2.01';
    blockedSend.push(() => send({ ...answer(request, code), confirmable: true }));
    if (blockedSend.length === 4) for (const release of blockedSend.reverse()) release();
  });
  const bodies = [BODY, '[{"bad":1}]', BODY, BODY];
  const results = await Promise.all(
    bodies.map((body) => both.transport.postTelemetry(TOKEN, body, neverAborted)),
  );
  assert.deepEqual(
    results.map((result) => result.ok),
    [true, false, true, true],
  );
});

test('a post with timestamps is non-confirmable, repeated unchanged, and its response needs no acknowledgement', {
  timeout,
}, async () => {
  let requests = 0;
  const script: Script = (request, send) => {
    requests += 1;
    if (requests > 1) send(answer(request, '2.01'));
  };
  await using both = await openPeerAndTransport(script, { ...PATIENT, retransmitAfterMs: [20] });
  const { peer, transport } = both;
  assert.deepEqual(await transport.postTelemetry(TOKEN, BODY, neverAborted), { ok: true, value: undefined });
  // What an acknowledgement would come before.
  await transport.postAttributes(TOKEN, '{"a":1}', neverAborted);
  const [first, repeated, ...later] = peer.received;
  assert.deepEqual(
    [first?.confirmable, repeated?.confirmable, repeated?.messageId],
    [false, false, first?.messageId],
  );
  assert.ok(later.every(({ ack }) => !ack));
});

test('a post without a timestamp is confirmable', { timeout }, async () => {
  await using both = await openPeerAndTransport(patterns.piggybacked('2.01'));
  await both.transport.postTelemetry(TOKEN, '{"a":1}', neverAborted);
  assert.equal(both.peer.received[0]?.confirmable, true);
});
