/** Firmware and software over CoAP, as seen on a real ThingsBoard 4.3.1.3 (contract sections 7 and 14). */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { parse } from 'coap-packet';
import { CoapPeer, codeOf, option, optionHex, payloadText, request } from '../helpers/coap-peer.ts';
import { openPackageHarness, PACKAGE, type PackageHarness } from '../helpers/package-harness.ts';
import { TOKEN } from '../helpers/quick-core.ts';

let messageId = 0;

function get(path: string, query: readonly string[] = [], options: ReturnType<typeof option>[] = []): Buffer {
  messageId += 1;
  return request('GET', { messageId, path, query, options });
}

/** Of all downloads: a busy host delays some acknowledgements, but not each. */
let fastestAckMs = Number.POSITIVE_INFINITY;

/** Sends a GET, expects the empty ACK, and returns the CON that follows, acknowledged. */
async function download(peer: CoapPeer, path: string, query: readonly string[] = []): Promise<Buffer> {
  const sentMs = performance.now();
  peer.send(get(path, query));
  await peer.expect(`6000${messageId.toString(16).padStart(4, '0')}`);
  fastestAckMs = Math.min(fastestAckMs, performance.now() - sentMs);
  const answer = await peer.next();
  assert.ok(answer, 'no response');
  assert.equal(answer.readUInt8(0), 0x41, 'a separate CON with the token of the request');
  peer.answer(answer);
  return answer;
}

async function withPeer(run: (harness: PackageHarness, peer: CoapPeer) => Promise<void>): Promise<void> {
  await using harness = await openPackageHarness();
  await using peer = await CoapPeer.open(harness.sandbox.coapPort);
  await run(harness, peer);
}

async function expectOnlyAcknowledgement(peer: CoapPeer): Promise<void> {
  await peer.expect(`6000${messageId.toString(16).padStart(4, '0')}`);
  await peer.expectSilence(150);
}

describe('a package over CoAP', { concurrency: false }, () => {
  for (const [type, path, prefix] of [
    ['firmware', 'fw', 'fw'],
    ['software', 'sw', 'sw'],
  ] as const) {
    test(`assigning ${type} notifies of stale keys, then of the new values`, async () => {
      await withPeer(async ({ assign }, peer) => {
        peer.send(get(`/api/v1/${TOKEN}/attributes`, [], [option(6, '')]));
        await peer.next();
        assign(type);
        const stale = await peer.next();
        assert.equal(payloadText(stale ?? Buffer.alloc(0)), `{"deleted":["${prefix}_tag","${prefix}_url"]}`);
        await peer.expectSilence(50);
        peer.answer(stale ?? Buffer.alloc(0));
        const values = (await peer.next()) ?? Buffer.alloc(0);
        peer.answer(values);
        assert.equal(optionHex(values, 'Observe'), '02');
        const checksum = createHash('sha256').update(PACKAGE).digest('hex');
        assert.equal(
          payloadText(values),
          `{"${prefix}_title":"firstlight","${prefix}_version":"2.0.0","${prefix}_size":5000,` +
            `"${prefix}_checksum_algorithm":"SHA256","${prefix}_checksum":"${checksum}"}`,
        );
      });
    });

    test(`${type} arrives in chunks by query, the last one shorter, without options`, async () => {
      await withPeer(async ({ assign }, peer) => {
        assign(type);
        const chunks: Buffer[] = [];
        for (let chunk = 0; chunk * 1_024 < PACKAGE.length; chunk += 1) {
          const answer = await download(peer, `/${path}/${TOKEN}`, ['size=1024', `chunk=${chunk}`]);
          const { code, options, payload } = parse(answer);
          assert.deepEqual([code, options], ['2.05', []]);
          assert.equal(payload.length, Math.min(1_024, PACKAGE.length - chunk * 1_024));
          chunks.push(payload);
        }
        assert.ok(Buffer.concat(chunks).equals(PACKAGE));
      });
    });
  }

  test('firmware is not software', async () => {
    await withPeer(async ({ assign }, peer) => {
      assign('firmware');
      assert.equal(codeOf(await download(peer, `/sw/${TOKEN}`)), '4.04');
    });
  });

  test('title and version are compared if they are given', async () => {
    await withPeer(async ({ assign }, peer) => {
      assign('software');
      const path = `/sw/${TOKEN}`;
      const chunk = ['size=64', 'chunk=1'];
      const given = await download(peer, path, ['title=firstlight', 'version=2.0.0', ...chunk]);
      assert.ok(parse(given).payload.equals(PACKAGE.subarray(64, 128)));
      assert.equal(codeOf(await download(peer, path, ['title=other', ...chunk])), '4.00');
      assert.equal(codeOf(await download(peer, path, ['version=1.0.0', ...chunk])), '4.00');
    });
  });

  test('a chunk past the end gets an ACK and no response', async () => {
    await withPeer(async ({ assign }, peer) => {
      assign('software');
      peer.send(get(`/sw/${TOKEN}`, ['size=1000', 'chunk=5']));
      await expectOnlyAcknowledgement(peer);
    });
  });

  test('a size that is no number and a negative chunk get an ACK and no response', async () => {
    await withPeer(async ({ assign }, peer) => {
      assign('software');
      for (const query of [['size=big'], ['size=10', 'chunk=-1'], ['size=99999999999']]) {
        peer.send(get(`/sw/${TOKEN}`, query));
        await expectOnlyAcknowledgement(peer);
      }
    });
  });

  test('a chunk of 1025 bytes and a whole package come block-wise to one socket', async () => {
    await withPeer(async ({ assign }, peer) => {
      assign('software');
      for (const [query, size2, bytes] of [
        [['size=1025', 'chunk=0'], '0401', PACKAGE.subarray(0, 1_025)],
        [[], '1388', PACKAGE],
      ] as const) {
        const first = await download(peer, `/sw/${TOKEN}`, query);
        assert.equal(optionHex(first, 'Block2'), '0e');
        assert.equal(optionHex(first, 'Size2'), size2);
        const blocks = [parse(first).payload];
        for (let num = 1; num * 1_024 < bytes.length; num += 1) {
          const more = (num + 1) * 1_024 < bytes.length;
          peer.send(get(`/sw/${TOKEN}`, query, [option(23, Buffer.from([num * 16 + 6]))]));
          const later = await peer.next();
          assert.equal(later?.readUInt8(0), 0x61, 'piggybacked');
          assert.equal(
            optionHex(later, 'Block2'),
            Buffer.from([num * 16 + (more ? 8 : 0) + 6]).toString('hex'),
          );
          blocks.push(parse(later).payload);
        }
        assert.ok(Buffer.concat(blocks).equals(bytes));
      }
    });
  });

  test('a later block for a new socket gets an ACK and no response', async () => {
    await withPeer(async ({ assign, sandbox }, peer) => {
      assign('software');
      await download(peer, `/sw/${TOKEN}`);
      await using other = await CoapPeer.open(sandbox.coapPort);
      other.send(get(`/sw/${TOKEN}`, [], [option(23, '16')]));
      await expectOnlyAcknowledgement(other);
    });
  });

  test('an unknown token, a package at a URL and none get an ACK, then their code', async () => {
    await withPeer(async ({ assign, sandbox }, peer) => {
      assert.equal(codeOf(await download(peer, '/sw/nobody')), '4.01');
      assert.equal(codeOf(await download(peer, `/sw/${TOKEN}`)), '4.04');
      assign('software', { url: 'http://example.com/package' });
      assert.equal(codeOf(await download(peer, `/sw/${TOKEN}`)), '4.04');
      assign('software');
      sandbox.core.admin.unassignPackage('gw', 'software');
      assert.equal(codeOf(await download(peer, `/sw/${TOKEN}`)), '4.04');
    });
  });

  test('a restart of the sandbox keeps the package', async () => {
    await withPeer(async ({ assign, sandbox }, peer) => {
      assign('software');
      sandbox.restart();
      const answer = await download(peer, `/sw/${TOKEN}`, ['size=16']);
      assert.ok(parse(answer).payload.equals(PACKAGE.subarray(0, 16)));
    });
  });

  after(() => assert.ok(fastestAckMs < 400, `the ACK took ${fastestAckMs} ms: it must not wait 500 ms`));
});
