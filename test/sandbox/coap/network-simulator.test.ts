/** The network knobs (contract section 13), and opening, restarting and closing the CoAP server. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openCoapServer } from '../../../src/sandbox/coap/coap-server.ts';
import { type CoapHarness, openCoapHarness } from '../helpers/coap-harness.ts';
import { CoapPeer, request } from '../helpers/coap-peer.ts';
import { FakeCoapCore } from '../helpers/fake-coap-core.ts';

const telemetry = (messageId: number) =>
  request('POST', { messageId, path: '/api/v1/tok/telemetry', payload: `{"n":${messageId}}` });
const path = '/api/v1/provision';
const provision = (messageId: number) => request('POST', { messageId, path, payload: '{}' });

describe('network knobs', { concurrency: true }, () => {
  /** Sends 200 requests; returns the message IDs of the responses, in order. */
  async function responseIds(harness: CoapHarness): Promise<readonly number[]> {
    for (let messageId = 0; messageId < 200; messageId += 1) {
      harness.peer.send(request('PUT', { messageId, path }));
      // In groups, so that the kernel's buffer does not overflow.
      if (messageId % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await new Promise((resolve) => setTimeout(resolve, 350));
    return harness.peer.drain().map((datagram) => datagram.readUInt16BE(2));
  }

  test('loss drops its share, and the same datagrams for the same seed', async () => {
    const runs: (readonly number[])[] = [];
    for (const [knob, seed] of [
      ['lossIn', 7],
      ['lossIn', 7],
      ['lossIn', 8],
      ['lossOut', 7],
    ] as const) {
      await using harness = await openCoapHarness({ knobs: { [knob]: 0.3, seed } });
      runs.push(await responseIds(harness));
    }
    for (const run of runs) assert.ok(run.length > 110 && run.length < 170, `${run.length} of 200`);
    assert.deepEqual(runs[0], runs[1]);
    assert.notDeepEqual(runs[0], runs[2]);
  });

  test('setting the seed restarts the random sequence', async () => {
    await using harness = await openCoapHarness({ knobs: { lossIn: 0.3, seed: 7 } });
    const runs: (readonly number[])[] = [];
    for (const seed of [7, 8, 7]) {
      harness.core.knobs.seed = seed;
      harness.server.restart();
      runs.push(await responseIds(harness));
    }
    assert.notDeepEqual(runs[0], runs[1]);
    assert.deepEqual(runs[0], runs[2]);
  });

  test('an incoming duplicate is executed once and recorded', async () => {
    await using harness = await openCoapHarness({ knobs: { duplicateIn: 1 } });
    harness.peer.send(provision(1));
    await harness.peer.expectSilence(0);
    assert.ok(await harness.peer.next());
    assert.equal(harness.core.calls.length, 1);
    assert.equal(harness.core.duplicates.length, 1);
  });

  test('an outgoing duplicate arrives twice', async () => {
    await using harness = await openCoapHarness({ knobs: { duplicateOut: 1 } });
    harness.peer.send(provision(1));
    const first = await harness.peer.next();
    assert.ok(first);
    assert.deepEqual(await harness.peer.next(), first);
    await harness.peer.expectSilence(50);
  });

  test('reordering lets later responses overtake earlier ones and loses none', async () => {
    await using harness = await openCoapHarness({ knobs: { reorderOut: 0.5 } });
    const order = await responseIds(harness);
    assert.equal(new Set(order).size, 200);
    assert.notDeepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
  });

  test('silent: the request is executed, and a duplicate gets the lost response', async () => {
    await using harness = await openCoapHarness({ knobs: { silent: true } });
    harness.peer.send(provision(1));
    harness.peer.send(telemetry(2));
    harness.peer.send('40000003');
    await harness.peer.expectSilence(600);
    assert.equal(harness.core.calls.length, 2);
    harness.core.knobs.silent = false;
    harness.peer.send(provision(1));
    await harness.peer.expect('614100017ac0ff7b22737461747573223a2253554343455353227d');
    assert.equal(harness.core.calls.length, 2);
  });

  test('dead: a request has no effect and is not remembered', async () => {
    await using harness = await openCoapHarness({ knobs: { dead: true } });
    harness.peer.send(provision(1));
    await harness.peer.expectSilence(100);
    assert.deepEqual(harness.core.calls, []);
    harness.core.knobs.dead = false;
    harness.peer.send(provision(1));
    assert.ok(await harness.peer.next());
    assert.deepEqual(harness.core.duplicates, []);
  });
});

describe('the CoAP server', { concurrency: true }, () => {
  for (const host of ['127.0.0.1', '::1', '::']) {
    test(`the server responds on ${host}`, async (t) => {
      let harness: CoapHarness;
      try {
        harness = await openCoapHarness({ host });
      } catch (error) {
        return t.skip(`no IPv6 here: ${String(error)}`);
      }
      harness.peer.send('40001234');
      await harness.peer.expect('70001234');
      await harness[Symbol.asyncDispose]();
    });
  }

  test('a port in use rejects', async () => {
    await using harness = await openCoapHarness();
    await assert.rejects(
      openCoapServer({ core: new FakeCoapCore(), host: '127.0.0.1', port: harness.server.port }),
      { code: 'EADDRINUSE' },
    );
  });

  test('a restart drops pending responses and forgets requests', async () => {
    await using harness = await openCoapHarness({ latencyMs: 200 });
    harness.peer.send(provision(1));
    await harness.peer.expectSilence(50);
    harness.server.restart();
    await harness.peer.expectSilence(600);
    harness.peer.send(provision(1));
    assert.ok(await harness.peer.next());
    assert.equal(harness.core.calls.length, 2);
    assert.deepEqual(harness.core.duplicates, []);
  });

  test('disposing twice with pending responses leaves nothing running', async () => {
    const harness = await openCoapHarness({ latencyMs: 100 });
    harness.peer.send(provision(1));
    harness.peer.send(
      request('GET', {
        messageId: 2,
        path: '/api/v1/tok/rpc',
        options: [{ name: 6, value: Buffer.alloc(0) }],
      }),
    );
    await harness.peer.expectSilence(50);
    await harness.server[Symbol.asyncDispose]();
    await harness.server[Symbol.asyncDispose]();
    await harness.peer.expectSilence(150);
    assert.equal(harness.core.listeners.size, 0);
    assert.deepEqual(harness.log, []);
    await harness.peer[Symbol.asyncDispose]();
  });

  test('a core that rejects gives 5.00', async () => {
    await using harness = await openCoapHarness();
    harness.core.provision = () => Promise.reject(new Error('a bug'));
    harness.peer.send(provision(1));
    await harness.peer.expect('61a000017a');
    assert.match(harness.log.join(), /a bug/);
  });

  test('two peers are distinguished by their ports', async () => {
    await using harness = await openCoapHarness();
    await using other = await CoapPeer.open(harness.server.port);
    other.send(provision(1));
    assert.ok(await other.next());
    await harness.peer.expectSilence(30);
  });
});
