/**
 * A server name with several addresses, over real UDP: one swallows every datagram, as a wrong AAAA record does. Nothing that
 * must not be repeated is sent there.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import type { RetransmissionTiming } from '../../../src/transport/coap/retransmission-timing.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import type { Resolve } from '../../../src/transport/resolve.ts';
import {
  ack,
  identifiedAsThingsBoard,
  isIdentification,
  patterns,
  ScriptedPeer,
} from './helpers/scripted-peer.ts';

const [SILENT, SOUND] = ['127.0.0.2', '127.0.0.1'];
const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const BODY = '[{"ts":1,"values":{"a":1}}]';
const REQUEST = { deviceName: 'gw', key: 'k', secret: new Secret('s'), token: TOKEN };
const ISSUED = `{"credentialsValue":"${TOKEN.reveal()}","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}`;
const timeout = 30_000;
const never = new AbortController().signal;

/** A silent peer and a sound one at the same port; the name resolves to the silent address first. */
async function setup(timing?: RetransmissionTiming) {
  const sound = await ScriptedPeer.open(
    identifiedAsThingsBoard((request, send) => {
      const isProvisioning = request.options.some(({ value }) => value.toString() === 'provision');
      send(isProvisioning ? ack(request, '2.01', ISSUED) : ack(request, '2.01'));
    }),
    SOUND,
  );
  const silent = await ScriptedPeer.open(patterns.silence(), SILENT, sound.port);
  const resolve: Resolve = async (_host, port) => ({
    ok: true,
    value: [
      { address: SILENT, family: 4, port },
      { address: SOUND, family: 4, port },
    ],
  });
  const open = () =>
    new CoapTransport(
      { host: 'two.example', port: sound.port },
      {
        clock: hostClock(),
        random: { uniform: () => 0 },
        resolve,
        ...(timing && { timingOf: () => timing }),
      },
    );
  const close = async () => {
    await sound[Symbol.asyncDispose]();
    await silent[Symbol.asyncDispose]();
  };
  return { sound, silent, open, [Symbol.asyncDispose]: close };
}

const posts = ({ received }: ScriptedPeer) => received.filter(({ code }) => code === '0.02').length;

test('provisioning uses the address that responds, once and within two seconds', {
  timeout,
}, async () => {
  await using at = await setup();
  for (let start = 1; start <= 2; start += 1) {
    await using transport = at.open();
    const startedMs = performance.now();
    const result = await transport.provision(REQUEST, async () => {}, never);
    assert.equal(result.ok, true);
    assert.ok(performance.now() - startedMs < 2_000, `${performance.now() - startedMs} ms`);
    assert.equal(posts(at.sound), start);
  }
  assert.equal(posts(at.silent), 0);
  assert.ok(at.silent.received.every(isIdentification));
});

test('readings use the address that responds, over one socket', { timeout }, async () => {
  await using at = await setup();
  await using transport = at.open();
  for (let post = 0; post < 5; post += 1)
    assert.deepEqual(await transport.postTelemetry(TOKEN, BODY, never), { ok: true, value: undefined });
  assert.equal(posts(at.silent), 0);
  assert.equal(at.sound.sourcePorts.size, 1);
  assert.equal(at.sound.received.filter(isIdentification).length, 1);
});

test('no provisioning request is sent if no address responds', { timeout }, async () => {
  await using at = await setup({ retransmitAfterMs: [100], noAckTimeoutMs: 300, responseTimeoutMs: 300 });
  at.sound.script = patterns.silence();
  await using transport = at.open();
  const result = await transport.provision(REQUEST, async () => {}, never);
  assert.equal(!result.ok && result.failure.reason, 'server-timeout');
  assert.equal(posts(at.sound) + posts(at.silent), 0);
  assert.ok(at.sound.received.length > 0 && at.silent.received.length > 0);
});

test('an address that goes silent later is left for the other one', { timeout }, async () => {
  await using at = await setup({ retransmitAfterMs: [100], noAckTimeoutMs: 500, responseTimeoutMs: 500 });
  await using transport = at.open();
  assert.ok((await transport.postTelemetry(TOKEN, BODY, never)).ok);
  at.silent.script = at.sound.script;
  at.sound.script = patterns.silence();
  assert.equal((await transport.postTelemetry(TOKEN, BODY, never)).ok, false);
  assert.ok((await transport.postTelemetry(TOKEN, BODY, never)).ok);
  assert.equal(posts(at.silent), 1);
});
