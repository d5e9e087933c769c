/** Provisioning over CoAP: every response of contract section 3, and persisting before acknowledging. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ParsedPacket } from 'coap-packet';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import { identifiedAsThingsBoard, patterns, type Script, ScriptedPeer } from './helpers/scripted-peer.ts';

const neverAborted = new AbortController().signal;
const SUCCESS =
  '{"credentialsValue":"sLzc0gDAZPkGMzFVTyUY","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}';
const request = { deviceName: 'gw-0001', key: 'pk1', secret: new Secret('ps1') };

async function provisionAgainst(
  script: Script,
  persist: (token: Secret, peer: ScriptedPeer) => Promise<void> = async () => {},
  token?: Secret,
) {
  await using peer = await ScriptedPeer.open(script);
  const timing = { retransmitAfterMs: [30, 60], noAckTimeoutMs: 250, responseTimeoutMs: 100 };
  await using transport = new CoapTransport(
    { host: '127.0.0.1', port: peer.port },
    { clock: hostClock(), random: { uniform: () => 0 }, timingOf: () => timing },
  );
  const result = await transport.provision(
    { ...request, ...(token && { token }) },
    (issued) => persist(issued, peer),
    neverAborted,
  );
  return { result, received: peer.received as readonly ParsedPacket[], peer };
}

test('server-generated mode sends exactly three fields', { timeout: 5_000 }, async () => {
  const { received } = await provisionAgainst(patterns.piggybacked('2.01', SUCCESS));
  assert.deepEqual(JSON.parse(received[0]?.payload.toString() ?? ''), {
    deviceName: 'gw-0001',
    provisionDeviceKey: 'pk1',
    provisionDeviceSecret: 'ps1',
  });
});

test('device-generated mode sends a token and persists the one in the response', {
  timeout: 5_000,
}, async () => {
  const persisted: string[] = [];
  const { received, result } = await provisionAgainst(
    patterns.confirmableWithoutAck('2.01', SUCCESS),
    async (token) => void persisted.push(token.reveal()),
    new Secret('ourOwnToken1234567890'),
  );
  assert.deepEqual(JSON.parse(received[0]?.payload.toString() ?? ''), {
    deviceName: 'gw-0001',
    provisionDeviceKey: 'pk1',
    provisionDeviceSecret: 'ps1',
    credentialsType: 'ACCESS_TOKEN',
    token: 'ourOwnToken1234567890',
  });
  assert.deepEqual(persisted, ['sLzc0gDAZPkGMzFVTyUY']);
  assert.equal(result.ok ? result.value.reveal() : '', 'sLzc0gDAZPkGMzFVTyUY');
});

test('a separate response is acknowledged only after the token is persisted', {
  timeout: 5_000,
}, async () => {
  let acknowledgedBefore = true;
  const { peer } = await provisionAgainst(
    patterns.ackThenConfirmable('2.01', SUCCESS),
    async (_token, peer) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      acknowledgedBefore = peer.received.some((packet) => packet.ack);
    },
  );
  assert.equal(acknowledgedBefore, false);
  assert.ok(peer);
});

test('provision rejects and sends no acknowledgement if persisting fails', {
  timeout: 5_000,
}, async () => {
  await using peer = await ScriptedPeer.open(patterns.confirmableWithoutAck('2.01', SUCCESS));
  await using transport = new CoapTransport(
    { host: '127.0.0.1', port: peer.port },
    { clock: hostClock(), random: { uniform: () => 0 } },
  );
  const full = new Error('disk full');
  await assert.rejects(
    transport.provision(request, () => Promise.reject(full), neverAborted),
    full,
  );
  assert.equal(
    peer.received.some((packet) => packet.ack),
    false,
  );
});

for (const [name, script, reason] of [
  [
    'status NOT_FOUND',
    patterns.piggybacked('4.00', '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}'),
    'provisioning-key-unknown',
  ],
  [
    'status FAILURE',
    patterns.piggybacked('4.00', '{"errorMsg":"Failed to provision device!","status":"FAILURE"}'),
    'provisioning-declined',
  ],
  ['an empty 4.00', patterns.piggybacked('4.00'), 'request-malformed'],
  ['5.00', patterns.ackThenConfirmable('5.00'), 'server-overloaded'],
  ['protobuf', patterns.piggybacked('4.00', '\b\u0002'), 'unexpected-response'],
  ['a web page', patterns.piggybacked('2.01', '<html>welcome</html>'), 'unexpected-response'],
  ['JSON without a status', patterns.piggybacked('2.01', '{"a":1}'), 'unexpected-response'],
  ['4.04', patterns.piggybacked('4.04'), 'unexpected-response'],
  [
    'MQTT credentials',
    patterns.piggybacked(
      '2.01',
      '{"credentialsType":"MQTT_BASIC","credentialsValue":{"clientId":"a"},"status":"SUCCESS"}',
    ),
    'credentials-type-unsupported',
  ],
  [
    'a token that is no path segment',
    patterns.piggybacked('2.01', SUCCESS.replace(/sLz\w+/, '..')),
    'unexpected-response',
  ],
  ['silence', patterns.silence(), 'server-timeout'],
] as const) {
  test(`provisioning answered by ${name} fails as ${reason} and persists nothing`, {
    timeout: 5_000,
  }, async () => {
    let isPersisted = false;
    const { result } = await provisionAgainst(script, async () => {
      isPersisted = true;
    });
    assert.equal(result.ok ? 'issued' : result.failure.reason, reason);
    assert.equal(isPersisted, false);
  });
}

test('a probe distinguishes known token, unknown token and other server', {
  timeout: 5_000,
}, async () => {
  const jsonFormat = { name: 'Content-Format', value: Buffer.from([50]) } as const;
  const cases: [Script, unknown][] = [
    [patterns.confirmableWithoutAck('2.05', '{"client":{"a":1}}'), { ok: true, value: true }],
    [
      (received, send) =>
        send({
          code: '4.04',
          ack: true,
          messageId: received.messageId,
          token: received.token,
          options: [jsonFormat],
        }),
      { ok: true, value: true },
    ],
    [identifiedAsThingsBoard(patterns.piggybacked('4.01')), { ok: true, value: false }],
    [
      patterns.piggybacked('4.04', 'Not Found'),
      { ok: false, failure: { reason: 'unexpected-response', detail: 'response 4.04' } },
    ],
  ];
  for (const [script, expected] of cases) {
    await using peer = await ScriptedPeer.open(script);
    await using transport = new CoapTransport(
      { host: '127.0.0.1', port: peer.port },
      { clock: hostClock(), random: { uniform: () => 0 } },
    );
    assert.deepEqual(await transport.probe(new Secret('abc'), neverAborted), expected);
  }
});
