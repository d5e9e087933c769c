/** The response to a duplicate request, in every state of the first one (contract section 2). */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Exchanges } from '../../../src/sandbox/coap/exchanges.ts';
import { parseDatagram } from '../../../src/sandbox/coap/message.ts';
import { defaultSettings } from '../../../src/sandbox/coap/settings.ts';
import { Timers } from '../../../src/sandbox/coap/timers.ts';
import { Transmissions } from '../../../src/sandbox/coap/transmissions.ts';
import { openCoapHarness } from '../helpers/coap-harness.ts';
import { CoapPeer, request } from '../helpers/coap-peer.ts';
import { FakeCoapCore } from '../helpers/fake-coap-core.ts';

const telemetry = (messageId: number, type: 'CON' | 'NON' = 'CON', payload = '{"a":1}') =>
  request('POST', { type, messageId, path: '/api/v1/tok/telemetry', payload });
const provision = (messageId: number, type: 'CON' | 'NON' = 'CON') =>
  request('POST', { type, messageId, path: '/api/v1/provision', payload: '{}' });
const provisioned = '7ac0ff7b22737461747573223a2253554343455353227d';

describe('duplicates', { concurrency: true }, () => {
  test('a duplicate of a request in progress gets no response', async () => {
    await using harness = await openCoapHarness({ latencyMs: 300 });
    harness.peer.send(provision(1));
    harness.peer.send(provision(1));
    await harness.peer.expectSilence(250);
    await harness.peer.expect(`61410001${provisioned}`);
    await harness.peer.expectSilence(50);
    assert.deepEqual(harness.core.calls, ['provision {}']);
    assert.equal(harness.core.duplicates.length, 1);
    assert.match(harness.core.duplicates[0] ?? '', /^CON 0\.02 message ID 1 from 127\.0\.0\.1 /);
  });

  test('a duplicate of an acknowledged request is acknowledged again', async () => {
    await using harness = await openCoapHarness({ latencyMs: 900 });
    harness.peer.send(telemetry(1));
    await harness.peer.expect('60000001');
    harness.peer.send(telemetry(1));
    await harness.peer.expect('60000001');
    await harness.peer.expect('4141....7a');
    assert.equal(harness.core.calls.length, 1);
  });

  test('a duplicate gets the same piggybacked response and has no effect', async () => {
    await using harness = await openCoapHarness();
    for (const _ of [1, 2, 3]) {
      harness.peer.send(provision(1));
      await harness.peer.expect(`61410001${provisioned}`);
    }
    assert.equal(harness.core.calls.length, 1);
    assert.equal(harness.core.duplicates.length, 2);
  });

  test('a duplicate gets an empty ACK and the unacknowledged CON response', async () => {
    await using harness = await openCoapHarness();
    harness.peer.send(telemetry(1));
    const answer = await harness.peer.expect('4141....7a');
    harness.peer.send(telemetry(1));
    await harness.peer.expect('60000001');
    assert.deepEqual(await harness.peer.next(), answer);
    assert.equal(harness.core.calls.length, 1);
  });

  test('a duplicate gets only an ACK after an acknowledged CON response', async () => {
    await using harness = await openCoapHarness();
    harness.peer.send(telemetry(1));
    harness.peer.answer(await harness.peer.expect('4141....7a'));
    harness.peer.send(telemetry(1));
    await harness.peer.expect('60000001');
    await harness.peer.expectSilence(80);
    assert.equal(harness.core.calls.length, 1);
  });

  test('a duplicate gets the same NON response', async () => {
    await using harness = await openCoapHarness();
    harness.peer.send(telemetry(1, 'NON'));
    const answer = await harness.peer.expect('5141....7a');
    harness.peer.send(telemetry(1, 'NON'));
    assert.deepEqual(await harness.peer.next(), answer);
    assert.equal(harness.core.calls.length, 1);
  });

  test('another port or a new message ID makes a new request', async () => {
    await using harness = await openCoapHarness();
    await using other = await CoapPeer.open(harness.server.port);
    harness.peer.send(telemetry(1));
    other.send(telemetry(1));
    await harness.peer.expect('4141....7a');
    await other.expect('4141....7a');
    harness.peer.send(telemetry(2));
    await harness.peer.expect('4141....7a');
    assert.equal(harness.core.calls.length, 3);
    assert.deepEqual(harness.core.duplicates, []);
  });

  test('a CON is remembered for 247 s, a NON for 145 s, in a bounded table', () => {
    let nowMs = 0;
    const timers = new Timers();
    const send = () => {};
    const settings = { ...defaultSettings, exchangesMax: 3 };
    const transmissions = new Transmissions(send, timers, settings);
    const { knobs } = new FakeCoapCore();
    const exchanges = new Exchanges({ send, timers, transmissions, settings, knobs }, () => nowMs);
    const register = (datagram: Buffer) => {
      const inbound = parseDatagram(datagram, { address: '127.0.0.1', port: 1 });
      assert.ok(inbound?.type === 'request');
      return exchanges.register(inbound.request).status;
    };
    assert.equal(register(telemetry(1)), 'new');
    assert.equal(register(telemetry(2, 'NON')), 'new');
    nowMs = 144_999;
    assert.equal(register(telemetry(2, 'NON')), 'duplicate');
    nowMs = 145_000;
    assert.equal(register(telemetry(2, 'NON')), 'new');
    nowMs = 246_999;
    assert.equal(register(telemetry(1)), 'duplicate');
    nowMs = 247_000;
    assert.equal(register(telemetry(1)), 'new');
    for (const messageId of [3, 4, 5]) assert.equal(register(telemetry(messageId)), 'new');
    assert.equal(exchanges.size, 3);
    assert.equal(register(telemetry(1)), 'new', 'the oldest was dropped');
    timers.stop();
  });
});
