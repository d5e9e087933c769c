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
  async function responseIds(at: CoapHarness): Promise<readonly number[]> {
    for (let messageId = 0; messageId < 200; messageId += 1) {
      at.peer.send(request('PUT', { messageId, path }));
      // In groups, so that the kernel's buffer does not overflow.
      if (messageId % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await new Promise((resolve) => setTimeout(resolve, 350));
    return at.peer.drain().map((datagram) => datagram.readUInt16BE(2));
  }

  test('loss drops its share, and the same datagrams for the same seed', async () => {
    const runs: (readonly number[])[] = [];
    for (const [knob, seed] of [
      ['lossIn', 7],
      ['lossIn', 7],
      ['lossIn', 8],
      ['lossOut', 7],
    ] as const) {
      await using at = await openCoapHarness({ knobs: { [knob]: 0.3, seed } });
      runs.push(await responseIds(at));
    }
    for (const run of runs) assert.ok(run.length > 110 && run.length < 170, `${run.length} of 200`);
    assert.deepEqual(runs[0], runs[1]);
    assert.notDeepEqual(runs[0], runs[2]);
  });

  test('setting the seed restarts the random sequence', async () => {
    await using at = await openCoapHarness({ knobs: { lossIn: 0.3, seed: 7 } });
    const runs: (readonly number[])[] = [];
    for (const seed of [7, 8, 7]) {
      at.core.knobs.seed = seed;
      at.server.restart();
      runs.push(await responseIds(at));
    }
    assert.notDeepEqual(runs[0], runs[1]);
    assert.deepEqual(runs[0], runs[2]);
  });

  test('an incoming duplicate is executed once and recorded', async () => {
    await using at = await openCoapHarness({ knobs: { duplicateIn: 1 } });
    at.peer.send(provision(1));
    await at.peer.expectSilence(0);
    assert.ok(await at.peer.next());
    assert.equal(at.core.calls.length, 1);
    assert.equal(at.core.duplicates.length, 1);
  });

  test('an outgoing duplicate arrives twice', async () => {
    await using at = await openCoapHarness({ knobs: { duplicateOut: 1 } });
    at.peer.send(provision(1));
    const first = await at.peer.next();
    assert.ok(first);
    assert.deepEqual(await at.peer.next(), first);
    await at.peer.expectSilence(50);
  });

  test('reordering lets later responses overtake earlier ones and loses none', async () => {
    await using at = await openCoapHarness({ knobs: { reorderOut: 0.5 } });
    const order = await responseIds(at);
    assert.equal(new Set(order).size, 200);
    assert.notDeepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
  });

  test('silent: the request is executed, and a duplicate gets the lost response', async () => {
    await using at = await openCoapHarness({ knobs: { silent: true } });
    at.peer.send(provision(1));
    at.peer.send(telemetry(2));
    at.peer.send('40000003');
    await at.peer.expectSilence(600);
    assert.equal(at.core.calls.length, 2);
    at.core.knobs.silent = false;
    at.peer.send(provision(1));
    await at.peer.expect('614100017ac0ff7b22737461747573223a2253554343455353227d');
    assert.equal(at.core.calls.length, 2);
  });

  test('dead: a request has no effect and is not remembered', async () => {
    await using at = await openCoapHarness({ knobs: { dead: true } });
    at.peer.send(provision(1));
    await at.peer.expectSilence(100);
    assert.deepEqual(at.core.calls, []);
    at.core.knobs.dead = false;
    at.peer.send(provision(1));
    assert.ok(await at.peer.next());
    assert.deepEqual(at.core.duplicates, []);
  });
});

describe('the CoAP server', { concurrency: true }, () => {
  for (const host of ['127.0.0.1', '::1', '::']) {
    test(`the server responds on ${host}`, async (t) => {
      let at: CoapHarness;
      try {
        at = await openCoapHarness({ host });
      } catch (error) {
        return t.skip(`no IPv6 here: ${String(error)}`);
      }
      at.peer.send('40001234');
      await at.peer.expect('70001234');
      await at[Symbol.asyncDispose]();
    });
  }

  test('a port in use rejects', async () => {
    await using at = await openCoapHarness();
    await assert.rejects(
      openCoapServer({ core: new FakeCoapCore(), host: '127.0.0.1', port: at.server.port }),
      { code: 'EADDRINUSE' },
    );
  });

  test('a restart drops pending responses and forgets requests', async () => {
    await using at = await openCoapHarness({ latencyMs: 200 });
    at.peer.send(provision(1));
    await at.peer.expectSilence(50);
    at.server.restart();
    await at.peer.expectSilence(600);
    at.peer.send(provision(1));
    assert.ok(await at.peer.next());
    assert.equal(at.core.calls.length, 2);
    assert.deepEqual(at.core.duplicates, []);
  });

  test('disposing twice with pending responses leaves nothing running', async () => {
    const at = await openCoapHarness({ latencyMs: 100 });
    at.peer.send(provision(1));
    at.peer.send(
      request('GET', {
        messageId: 2,
        path: '/api/v1/tok/rpc',
        options: [{ name: 6, value: Buffer.alloc(0) }],
      }),
    );
    await at.peer.expectSilence(50);
    await at.server[Symbol.asyncDispose]();
    await at.server[Symbol.asyncDispose]();
    await at.peer.expectSilence(150);
    assert.equal(at.core.listeners.size, 0);
    assert.deepEqual(at.log, []);
    await at.peer[Symbol.asyncDispose]();
  });

  test('a core that rejects gives 5.00', async () => {
    await using at = await openCoapHarness();
    at.core.provision = () => Promise.reject(new Error('a bug'));
    at.peer.send(provision(1));
    await at.peer.expect('61a000017a');
    assert.match(at.log.join(), /a bug/);
  });

  test('two peers are distinguished by their ports', async () => {
    await using at = await openCoapHarness();
    await using other = await CoapPeer.open(at.server.port);
    other.send(provision(1));
    assert.ok(await other.next());
    await at.peer.expectSilence(30);
  });
});
