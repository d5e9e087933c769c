import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Knobs } from '../../../src/sandbox/core/model/types.ts';
import { type HttpHarness, openHttpHarness, waitForListener } from '../helpers/http-harness.ts';
import { settlePromises } from '../helpers/manual-clock.ts';
import { TOKEN, withDevice } from '../helpers/quick-core.ts';

const RPC = `/api/v1/${TOKEN}/rpc`;
const UPDATES = `/api/v1/${TOKEN}/attributes/updates`;
const JSON_TYPE = 'application/json';

describe('a long poll', () => {
  it('a poll gets an empty 408 at its timeout', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    for (const path of [RPC, UPDATES]) {
      const answer = await bench.call('GET', `${path}?timeout=5`);
      assert.deepEqual(answer, { status: 408, body: '', contentType: '' });
    }
    assert.equal(bench.core.admin.devices()[0]?.listeners, 0);
  });

  it('a poll gets 503 if its timeout reaches the asynchronous timeout', async () => {
    await using bench = await openHttpHarness({ asyncTimeoutMs: 5 });
    await withDevice(bench.core);
    for (const query of ['', '?timeout=0', '?timeout=5', '?timeout=90000']) {
      assert.equal((await bench.call('GET', RPC + query)).status, 503, query);
    }
  });

  it('a poll gets 401 for an unknown token', async () => {
    await using bench = await openHttpHarness();
    assert.equal((await bench.call('GET', RPC)).status, 401);
  });

  it('a poll gets changed and deleted shared attributes as JSON', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const changed = bench.call('GET', UPDATES);
    await waitForListener(bench.core);
    bench.core.admin.setSharedAttributes('gw-0001', '{"uploadPeriod":60}');
    assert.deepEqual(await changed, { status: 200, body: '{"uploadPeriod":60}', contentType: JSON_TYPE });
    const deleted = bench.call('GET', UPDATES);
    await waitForListener(bench.core);
    bench.core.admin.deleteSharedAttributes('gw-0001', ['uploadPeriod']);
    assert.equal((await deleted).body, '{"deleted":["uploadPeriod"]}');
  });

  it('attribute updates between two polls are lost', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    bench.core.admin.setSharedAttributes('gw-0001', '{"a":1}');
    assert.equal((await bench.call('GET', `${UPDATES}?timeout=5`)).status, 408);
  });

  it('a poll gets one pending RPC, and a one-way RPC ends with it', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const sending = ['first', 'second'].map((method) =>
      bench.core.admin.sendRpc('gw-0001', { method, oneWay: true }),
    );
    const first = await bench.call('GET', RPC);
    assert.deepEqual(first, {
      status: 200,
      body: '{"id":0,"method":"first","params":null}',
      contentType: JSON_TYPE,
    });
    await sending[0];
    assert.equal((await bench.call('GET', RPC)).body, '{"id":1,"method":"second","params":null}');
    assert.deepEqual(await sending[1], { ok: true, value: { status: 'delivered', id: 1 } });
  });

  it('a two-way RPC and its reply work by polls', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const polling = bench.call('GET', RPC);
    await waitForListener(bench.core);
    const sending = bench.core.admin.sendRpc('gw-0001', { method: 'reboot', params: { delay: 5 } });
    assert.equal((await polling).body, '{"id":0,"method":"reboot","params":{"delay":5}}');
    await bench.call('POST', `${RPC}/0`, '{"ok":true}');
    assert.deepEqual(await sending, { ok: true, value: { status: 'replied', id: 0, reply: '{"ok":true}' } });
  });

  it('a poll gets 403 if the device is deleted', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const polling = bench.call('GET', RPC);
    await waitForListener(bench.core);
    bench.core.admin.deleteDevice('gw-0001');
    const { status, body } = await polling;
    assert.deepEqual([status, body], [403, 'Device was deleted!']);
  });

  it('a poll gets 408 if the token is revoked', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const polling = bench.call('GET', UPDATES);
    await waitForListener(bench.core);
    bench.core.admin.revokeToken('gw-0001');
    assert.equal((await polling).status, 408);
  });

  it('an RPC stays pending if the client disconnects', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const leaving = new AbortController();
    const polling = bench.call('GET', RPC, undefined, { signal: leaving.signal });
    await waitForListener(bench.core);
    leaving.abort();
    await assert.rejects(polling);
    while (bench.core.admin.devices()[0]?.listeners !== 0) await settlePromises();
    const sending = bench.core.admin.sendRpc('gw-0001', { method: 'reboot', oneWay: true });
    assert.equal((await bench.call('GET', RPC)).status, 200);
    assert.ok((await sending).ok);
  });

  it('a restart closes the connection of a poll', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const polling = bench.call('GET', RPC);
    await waitForListener(bench.core);
    bench.restart();
    await assert.rejects(polling);
    assert.equal((await bench.call('GET', `${RPC}?timeout=5`)).status, 408);
  });
});

describe('the knobs silent and dead over HTTP', () => {
  it('silent: a post is stored without a response', async () => {
    await using bench = await openHttpHarness({ knobs: { silent: true } });
    await withDevice(bench.core);
    const leaving = new AbortController();
    const posting = bench.call('POST', `/api/v1/${TOKEN}/telemetry`, '{"a":1}', { signal: leaving.signal });
    const failed = assert.rejects(posting, { name: 'AbortError' });
    while (bench.core.admin.points().length === 0) await settlePromises();
    await answersAgain(bench, { silent: false });
    leaving.abort();
    await failed;
  });

  it('dead: a post has no effect until the knob is reset', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const leaving = new AbortController();
    const looked = lookedAtDead(bench.core.knobs);
    const posting = bench.call('POST', `/api/v1/${TOKEN}/telemetry`, '{"a":1}', { signal: leaving.signal });
    const failed = assert.rejects(posting, { name: 'AbortError' });
    await looked;
    await answersAgain(bench, { dead: false });
    leaving.abort();
    await failed;
    assert.deepEqual(bench.core.admin.points(), []);
  });

  it('silent: an RPC is not counted as delivered', async () => {
    await using bench = await openHttpHarness({ knobs: { silent: true } });
    await withDevice(bench.core);
    const leaving = new AbortController();
    const polling = assert.rejects(bench.call('GET', RPC, undefined, { signal: leaving.signal }));
    await waitForListener(bench.core);
    const sending = bench.core.admin.sendRpc('gw-0001', { method: 'reboot', oneWay: true });
    while (bench.core.admin.devices()[0]?.listeners !== 0) await settlePromises();
    await settlePromises();
    bench.core.admin.updateKnobs({ silent: false });
    assert.match((await bench.call('GET', RPC)).body, /reboot/);
    await sending;
    leaving.abort();
    await polling;
  });
});

/** A whole exchange after the unanswered one: had that been answered, its answer would be here by now. */
async function answersAgain(bench: HttpHarness, knobs: Partial<Knobs>): Promise<void> {
  bench.core.admin.updateKnobs(knobs);
  assert.equal((await bench.call('GET', `/api/v1/${TOKEN}/attributes`)).status, 200);
}

/**
 * Sets the knob to dead, and resolves when a request has met it: there is no other sign of an unread request.
 */
function lookedAtDead(knobs: Knobs): Promise<void> {
  return new Promise((resolve) => {
    const get = (): boolean => {
      Object.defineProperty(knobs, 'dead', { value: true, writable: true, enumerable: true });
      resolve();
      return true;
    };
    Object.defineProperty(knobs, 'dead', { get, configurable: true, enumerable: true });
  });
}
