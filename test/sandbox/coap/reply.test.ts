/** Acknowledgements and responses, and datagrams without a response (contract sections 1.1 and 2). */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openCoapHarness } from '../helpers/coap-harness.ts';
import { codeOf, option, payloadText, request } from '../helpers/coap-peer.ts';
import { testRetransmission } from '../retransmission.ts';

const telemetry = (messageId: number, type: 'CON' | 'NON' = 'CON', payload = '{"a":1}') =>
  request('POST', { type, messageId, path: '/api/v1/tok/telemetry', payload });
const provision = (messageId: number, type: 'CON' | 'NON' = 'CON') =>
  request('POST', { type, messageId, path: '/api/v1/provision', payload: '{}' });
const provisioned = '7ac0ff7b22737461747573223a2253554343455353227d';

describe('kinds of responses', { concurrency: true }, () => {
  test('kind A, fast: a CON without an ACK, or piggybacked with the knob', async () => {
    await using harness = await openCoapHarness();
    harness.peer.send(telemetry(1));
    harness.peer.answer(await harness.peer.expect('4141....7a'));
    await harness.peer.expectSilence(600);
    harness.core.knobs.kindA = 'piggyback';
    harness.peer.send(telemetry(2));
    await harness.peer.expect('614100027a');
  });

  test('kind A, slow: an empty ACK, then a CON', async () => {
    await using harness = await openCoapHarness({ latencyMs: 600 });
    harness.peer.send(telemetry(1));
    await harness.peer.expect('60000001');
    await harness.peer.expect('4141....7a');
  });

  test('kind B, slow: an empty ACK, then a CON', async () => {
    await using harness = await openCoapHarness({ latencyMs: 600 });
    harness.peer.send(provision(1));
    await harness.peer.expect('60000001');
    await harness.peer.expect(`4141....${provisioned}`);
  });

  test('a NON request gets one NON with a new message ID and no ACK', async () => {
    await using harness = await openCoapHarness({ latencyMs: 600 });
    harness.peer.send(provision(7, 'NON'));
    await harness.peer.expectSilence(550);
    const answer = await harness.peer.expect(`5141....${provisioned}`);
    assert.notEqual(answer.readUInt16BE(2), 7);
    await harness.peer.expectSilence(200);
  });

  test('an unknown token gets 4.01; a foreign transport type and a dead core 5.00', async () => {
    await using harness = await openCoapHarness();
    const post = (token: string, messageId: number) =>
      harness.peer.send(request('POST', { messageId, path: `/api/v1/${token}/telemetry`, payload: '{}' }));
    post('nobody', 1);
    await harness.peer.expect('618100017a');
    harness.core.devices.set('mqtt', { status: 'ok', device: { id: 'd2', name: 'm', coapAllowed: false } });
    post('mqtt', 2);
    await harness.peer.expect('61a000027a');
    harness.core.devices.set('dead', { status: 'unavailable' });
    post('dead', 3);
    await harness.peer.expect('61a000037a');
  });

  // retransmission.slow.test.ts uses the times of RFC 7252.
  testRetransmission({ ackTimeoutMs: 600 });

  test('a CON is retransmitted four times, until an ACK or a reset', async () => {
    await using harness = await openCoapHarness({ settings: { ackTimeoutMs: 20 } });
    harness.peer.send(telemetry(1));
    const answer = await harness.peer.expect('4141....7a');
    for (const _ of [1, 2, 3, 4]) assert.deepEqual(await harness.peer.next(600), answer);
    await harness.peer.expectSilence(1_100);
    for (const [messageId, type] of [
      [2, '6000'],
      [3, '7000'],
    ] as const) {
      harness.peer.send(telemetry(messageId));
      harness.peer.answer(await harness.peer.expect('4141....7a'), type);
      await harness.peer.expectSilence(100);
    }
  });

  test('an OTA request is acknowledged at once and finds no package', async () => {
    await using harness = await openCoapHarness({ latencyMs: 300 });
    harness.peer.send(request('GET', { messageId: 1, path: '/fw/tok' }));
    await harness.peer.expect('60000001');
    await harness.peer.expect('4184....7a');
  });
});

describe('no response', { concurrency: true }, () => {
  test('a silent core gives an empty ACK at 500 ms, and nothing for a NON', async () => {
    await using harness = await openCoapHarness();
    harness.core.post = { status: 'silent' };
    harness.peer.send(telemetry(1));
    harness.peer.send(telemetry(2, 'NON'));
    await harness.peer.expectSilence(450);
    await harness.peer.expect('60000001');
    await harness.peer.expectSilence(300);
  });

  const ping = '40000001';
  for (const [what, datagram] of [
    ['an empty datagram', ''],
    ['three bytes', '400000'],
    ['version 0', '00000001'],
    ['version 2', '80000001'],
    ['a token of nine bytes', '4901000100112233445566778890b3617069'],
    ['a truncated token', '44010001aabb'],
    ['an empty message with a payload', '40000001ff61'],
    ['a truncated option', '41010001aab96162'],
    ['a reserved option delta', '41010001aaf1'],
    ['a reserved option length', '41010001aabf'],
    ['a payload marker without a payload', '41010001aab3617069ff'],
    ['a response without a request', '41450001aa'],
    ['a request that claims to be an ACK', '61010001aab3617069'],
    ['an unknown method', '41080001aab3617069'],
    ['an ACK without a message', '60000001'],
    ['a reset without a message', '70000001'],
  ] as const) {
    test(`${what} gets no response, and the next ping gets one`, async () => {
      await using harness = await openCoapHarness();
      harness.peer.send(datagram);
      harness.peer.send(ping);
      await harness.peer.expect('70000001');
      await harness.peer.expectSilence(30);
    });
  }

  test('a datagram of 2048 bytes is read, one of 2049 is not', async () => {
    await using harness = await openCoapHarness();
    const empty = telemetry(1, 'CON', ' ').length - 1;
    harness.peer.send(telemetry(1, 'CON', 'x'.repeat(2049 - empty)));
    await harness.peer.expectSilence(600);
    harness.peer.send(telemetry(2, 'CON', 'x'.repeat(2048 - empty)));
    await harness.peer.expect('4141....7a');
  });
});

describe('rejected requests', { concurrency: true }, () => {
  test('an unknown critical option gets 4.02, an elective one is ignored', async () => {
    await using harness = await openCoapHarness();
    const path = '/api/v1/tok/telemetry';
    const send = (messageId: number, number: number) =>
      harness.peer.send(request('POST', { messageId, path, options: [option(number, '01')], payload: '{}' }));
    send(1, 65001);
    const answer = await harness.peer.next();
    assert.equal(codeOf(answer), '4.02');
    assert.equal(answer?.readUInt8(0), 0x61, 'piggybacked');
    assert.equal(payloadText(answer ?? Buffer.alloc(0)), 'Unknown critical option 65001 is not supported!');
    send(2, 65000);
    harness.peer.answer(await harness.peer.expect('4141....7a'));
    send(3, 17);
    harness.peer.answer(await harness.peer.expect('4141....7a'));
  });

  test('a request rejected before processing gets a piggybacked response at once', async () => {
    await using harness = await openCoapHarness({ latencyMs: 5_000 });
    for (const [messageId, method, path, code] of [
      [1, 'GET', '/nope', '84'],
      [2, 'PUT', '/api/v1/tok/telemetry', '85'],
      [3, 'GET', '/api/v1/tok/telemetry', '80'],
      [4, 'POST', '/api/v1/telemetry', '81'],
    ] as const) {
      harness.peer.send(request(method, { messageId, path }));
      await harness.peer.expect(`61${code}000${messageId}7a`);
    }
  });
});
