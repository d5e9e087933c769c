/** Block-wise transfers in both directions (RFC 7959; contract section 2). */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CoapHarness, openCoapHarness } from '../helpers/coap-harness.ts';
import { CoapPeer, codeOf, option, optionHex, payloadText, request } from '../helpers/coap-peer.ts';

const path = '/api/v1/tok/telemetry';

function blockValue(num: number, more: boolean, szx: number): Buffer {
  const value = num * 16 + (more ? 8 : 0) + szx;
  return value > 255 ? Buffer.from([value >> 8, value & 255]) : Buffer.from([value]);
}

function upload(messageId: number, num: number, more: boolean, payload: string, szx = 6, uri = path): Buffer {
  const options = [option(27, blockValue(num, more, szx))];
  return request('POST', { messageId, path: uri, options, payload });
}

/** Sends a datagram and returns the response, after acknowledging a confirmable one. */
async function exchange(harness: CoapHarness, datagram: Buffer): Promise<Buffer> {
  harness.peer.send(datagram);
  const answer = await harness.peer.next();
  assert.ok(answer, 'no response');
  if (answer.readUInt8(0) >> 4 === 4) harness.peer.answer(answer);
  return answer;
}

describe('Block1', { concurrency: true }, () => {
  test('an upload arrives complete and once with every block size', async () => {
    await using harness = await openCoapHarness();
    const body = JSON.stringify({ text: 'abcdefghij'.repeat(250) });
    let messageId = 0;
    for (const szx of [0, 1, 2, 3, 4, 5, 6]) {
      const size = 2 ** (szx + 4);
      const blocks = Math.ceil(body.length / size);
      for (let num = 0; num < blocks; num += 1) {
        messageId += 1;
        const more = num < blocks - 1;
        const answer = await exchange(
          harness,
          upload(messageId, num, more, body.slice(num * size, (num + 1) * size), szx),
        );
        assert.equal(codeOf(answer), more ? '2.31' : '2.01');
        const echoed = num === 0 && !more && szx === 0 ? '' : blockValue(num, more, szx).toString('hex');
        assert.equal(optionHex(answer, 'Block1'), echoed);
        assert.equal(answer.readUInt8(0), more ? 0x61 : 0x41, 'the final response is of kind A');
      }
      assert.equal(harness.core.calls.pop(), `telemetry ${body}`);
      assert.equal(harness.core.calls.length, 0);
    }
  });

  test('provisioning in blocks gets one piggybacked response', async () => {
    await using harness = await openCoapHarness();
    const uri = '/api/v1/provision';
    await exchange(harness, upload(1, 0, true, `{${' '.repeat(15)}`, 0, uri));
    harness.peer.send(upload(2, 1, false, '}', 0, uri));
    await harness.peer.expect('614100027ac0d10210ff7b22737461747573223a2253554343455353227d');
  });

  test('a first block other than 0, a gap and a repeated block get 4.08 with the offset', async () => {
    await using harness = await openCoapHarness();
    const full = 'x'.repeat(1024);
    const expectRefused = (answer: Buffer, offset: number, position: number) => {
      assert.equal(codeOf(answer), '4.08');
      assert.equal(optionHex(answer, 'Block1'), undefined);
      const text = `request block1 offset ${offset} doesn't match the current position ${position}!`;
      assert.equal(payloadText(answer), text);
    };
    expectRefused(await exchange(harness, upload(1, 2, true, full)), 2_048, 0);
    assert.equal(codeOf(await exchange(harness, upload(2, 0, true, full))), '2.31');
    expectRefused(await exchange(harness, upload(3, 2, true, full)), 2_048, 1_024);
    // The transfer was dropped.
    expectRefused(await exchange(harness, upload(4, 1, true, full)), 1_024, 0);
    assert.deepEqual(harness.core.calls, []);
  });

  test('block 0 restarts an upload', async () => {
    await using harness = await openCoapHarness();
    await exchange(harness, upload(1, 0, true, 'x'.repeat(1024)));
    await exchange(harness, upload(2, 0, true, 'y'.repeat(1024)));
    await exchange(harness, upload(3, 1, false, 'z'));
    assert.deepEqual(harness.core.calls, [`telemetry ${'y'.repeat(1024)}z`]);
  });

  test('interleaved uploads break each other only at one URI from one socket', async () => {
    await using harness = await openCoapHarness();
    await using other = await CoapPeer.open(harness.server.port);
    const full = 'x'.repeat(1024);
    await exchange(harness, upload(1, 0, true, full));
    other.send(upload(1, 0, true, full));
    assert.equal(codeOf(await other.next()), '2.31');
    await exchange(harness, upload(2, 0, true, full, 6, '/api/v1/tok/attributes'));
    assert.equal(codeOf(await exchange(harness, upload(3, 1, false, 'a'))), '2.01');
    assert.equal(
      codeOf(await exchange(harness, upload(4, 1, false, 'b', 6, '/api/v1/tok/attributes'))),
      '2.01',
    );
    await exchange(harness, upload(5, 0, true, full));
    await exchange(harness, upload(6, 0, true, full));
    await exchange(harness, upload(7, 1, true, full));
    assert.equal(codeOf(await exchange(harness, upload(8, 1, true, full))), '4.08');
  });

  test('a body that is too large gets 4.13, announced or at the exceeding block', async () => {
    await using harness = await openCoapHarness({ settings: { bodyBytesMax: 2000 } });
    const full = 'x'.repeat(1024);
    const announced = request('POST', {
      messageId: 1,
      path,
      options: [option(27, '0e'), option(60, '07d1')],
      payload: full,
    });
    const rejected = await exchange(harness, announced);
    assert.equal(codeOf(rejected), '4.13');
    assert.equal(optionHex(rejected, 'Size1'), '07d0');
    assert.match(payloadText(rejected), /2000/);
    assert.equal(codeOf(await exchange(harness, upload(2, 0, true, full))), '2.31');
    const crossed = await exchange(harness, upload(3, 1, true, full));
    assert.equal(codeOf(crossed), '4.13');
    assert.equal(optionHex(crossed, 'Size1'), undefined);
  });

  test('beyond the limit the longest idle upload is dropped', async () => {
    await using harness = await openCoapHarness({ settings: { transfersMax: 2 } });
    const full = 'x'.repeat(1024);
    const uri = (n: number) => `/api/v1/tok/telemetry/${n}`;
    for (const n of [1, 2, 3]) await exchange(harness, upload(n, 0, true, full, 6, uri(n)));
    assert.equal(codeOf(await exchange(harness, upload(4, 1, false, 'x', 6, uri(1)))), '4.08');
    assert.equal(codeOf(await exchange(harness, upload(5, 1, false, 'x', 6, uri(3)))), '2.01');
  });

  test('an unfinished upload expires, and is lost by a restart', async () => {
    await using harness = await openCoapHarness({ settings: { blockStatusMs: 60 } });
    const full = 'x'.repeat(1024);
    await exchange(harness, upload(1, 0, true, full));
    await harness.peer.expectSilence(90);
    assert.equal(codeOf(await exchange(harness, upload(2, 1, false, 'x'))), '4.08');
    await exchange(harness, upload(3, 0, true, full));
    harness.server.restart();
    assert.equal(codeOf(await exchange(harness, upload(4, 1, false, 'x'))), '4.08');
  });

  test('a block of the wrong size gets 4.00, a reserved size 4.02', async () => {
    await using harness = await openCoapHarness();
    assert.equal(codeOf(await exchange(harness, upload(1, 0, true, 'short'))), '4.00');
    assert.equal(codeOf(await exchange(harness, upload(2, 0, true, 'x', 7))), '4.02');
  });
});

describe('Block2', { concurrency: true }, () => {
  const large = `{"client":{"text":"${'0123456789'.repeat(300)}"}}`;
  const get = (messageId: number, block?: Buffer) =>
    request('GET', {
      messageId,
      path: '/api/v1/tok/attributes',
      options: block === undefined ? [] : [option(23, block)],
    });

  test('a response over 1024 bytes is sent as block 0, the rest by GETs', async () => {
    await using harness = await openCoapHarness();
    harness.core.attributes = large;
    const first = await exchange(harness, get(1));
    assert.equal(first.readUInt8(0), 0x41, 'kind A');
    assert.equal(optionHex(first, 'Block2'), '0e');
    assert.equal(optionHex(first, 'Size2'), large.length.toString(16).padStart(4, '0'));
    assert.equal(optionHex(first, 'Content-Format'), '32');
    // The later block belongs to the stored response, although the attributes have changed.
    harness.core.attributes = '{}';
    const second = await exchange(harness, get(2, blockValue(1, false, 6)));
    assert.equal(second.readUInt8(0), 0x61, 'piggybacked');
    assert.equal(optionHex(second, 'Block2'), '1e');
    assert.equal(optionHex(second, 'Size2'), undefined);
    const third = await exchange(harness, get(3, blockValue(2, false, 6)));
    assert.equal(optionHex(third, 'Block2'), '26');
    assert.equal([first, second, third].map(payloadText).join(''), large);
    assert.equal(harness.core.calls.length, 1);
  });

  test('a response uses the block size that the peer requests', async () => {
    await using harness = await openCoapHarness();
    harness.core.attributes = large;
    const first = await exchange(harness, get(1, blockValue(0, false, 2)));
    assert.equal(optionHex(first, 'Block2'), '0a');
    assert.equal(payloadText(first), large.slice(0, 64));
    const later = await exchange(harness, get(2, blockValue(5, false, 2)));
    assert.equal(payloadText(later), large.slice(320, 384));
  });

  test('a later block of a dropped response is cut from a new response', async () => {
    await using harness = await openCoapHarness();
    harness.core.attributes = 'x'.repeat(1024);
    assert.equal(optionHex(await exchange(harness, get(1)), 'Block2'), undefined);
    harness.core.attributes = large;
    await exchange(harness, get(2));
    harness.server.restart();
    const later = await exchange(harness, get(3, blockValue(1, false, 6)));
    assert.equal(payloadText(later), large.slice(1024, 2048));
    assert.equal(harness.core.calls.length, 3);
    assert.equal(codeOf(await exchange(harness, get(4, blockValue(9, false, 6)))), '4.02');
  });
});
