/** Long polls (contract section 8), and the knobs `silent` and `dead` over HTTP. */

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
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    for (const path of [RPC, UPDATES]) {
      const answer = await harness.call('GET', `${path}?timeout=5`);
      assert.deepEqual(answer, { status: 408, body: '', contentType: '' });
    }
    assert.equal(harness.core.admin.devices()[0]?.listeners, 0);
  });

  it('a poll gets 503 if its timeout reaches the asynchronous timeout', async () => {
    await using harness = await openHttpHarness({ asyncTimeoutMs: 5 });
    await withDevice(harness.core);
    for (const query of ['', '?timeout=0', '?timeout=5', '?timeout=90000']) {
      assert.equal((await harness.call('GET', RPC + query)).status, 503, query);
    }
  });

  it('a poll gets 401 for an unknown token', async () => {
    await using harness = await openHttpHarness();
    assert.equal((await harness.call('GET', RPC)).status, 401);
  });

  it('a poll gets changed and deleted shared attributes as JSON', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const changed = harness.call('GET', UPDATES);
    await waitForListener(harness.core);
    harness.core.admin.setSharedAttributes('gw-0001', '{"uploadPeriod":60}');
    assert.deepEqual(await changed, { status: 200, body: '{"uploadPeriod":60}', contentType: JSON_TYPE });
    const deleted = harness.call('GET', UPDATES);
    await waitForListener(harness.core);
    harness.core.admin.deleteSharedAttributes('gw-0001', ['uploadPeriod']);
    assert.equal((await deleted).body, '{"deleted":["uploadPeriod"]}');
  });

  it('attribute updates between two polls are lost', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    harness.core.admin.setSharedAttributes('gw-0001', '{"a":1}');
    assert.equal((await harness.call('GET', `${UPDATES}?timeout=5`)).status, 408);
  });

  it('a poll gets one pending RPC, and a one-way RPC ends with it', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const sending = ['first', 'second'].map((method) =>
      harness.core.admin.sendRpc('gw-0001', { method, oneWay: true }),
    );
    const first = await harness.call('GET', RPC);
    assert.deepEqual(first, {
      status: 200,
      body: '{"id":0,"method":"first","params":null}',
      contentType: JSON_TYPE,
    });
    await sending[0];
    assert.equal((await harness.call('GET', RPC)).body, '{"id":1,"method":"second","params":null}');
    assert.deepEqual(await sending[1], { ok: true, value: { status: 'sent', id: 1 } });
  });

  it('a two-way RPC and its reply work by polls', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const polling = harness.call('GET', RPC);
    await waitForListener(harness.core);
    const sending = harness.core.admin.sendRpc('gw-0001', { method: 'reboot', params: { delay: 5 } });
    assert.equal((await polling).body, '{"id":0,"method":"reboot","params":{"delay":5}}');
    await harness.call('POST', `${RPC}/0`, '{"ok":true}');
    assert.deepEqual(await sending, { ok: true, value: { status: 'replied', id: 0, reply: '{"ok":true}' } });
  });

  it('a poll before the reply gets the same two-way RPC again', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const sending = ['first', 'second'].map((method) => harness.core.admin.sendRpc('gw-0001', { method }));
    const first = '{"id":0,"method":"first","params":null}';
    assert.equal((await harness.call('GET', RPC)).body, first);
    assert.equal((await harness.call('GET', RPC)).body, first);
    await harness.call('POST', `${RPC}/0`, '{}');
    assert.equal((await harness.call('GET', RPC)).body, '{"id":1,"method":"second","params":null}');
    await harness.call('POST', `${RPC}/1`, '{}');
    await Promise.all(sending);
  });

  it('a poll gets 403 if the device is deleted', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const polling = harness.call('GET', RPC);
    await waitForListener(harness.core);
    harness.core.admin.deleteDevice('gw-0001');
    const { status, body } = await polling;
    assert.deepEqual([status, body], [403, 'Device was deleted!']);
  });

  it('a poll gets 408 if the token is revoked', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const polling = harness.call('GET', UPDATES);
    await waitForListener(harness.core);
    harness.core.admin.revokeToken('gw-0001');
    assert.equal((await polling).status, 408);
  });

  it('an RPC stays pending if the client disconnects', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const leaving = new AbortController();
    const polling = harness.call('GET', RPC, undefined, { signal: leaving.signal });
    await waitForListener(harness.core);
    leaving.abort();
    await assert.rejects(polling);
    while (harness.core.admin.devices()[0]?.listeners !== 0) await settlePromises();
    const sending = harness.core.admin.sendRpc('gw-0001', { method: 'reboot', oneWay: true });
    assert.equal((await harness.call('GET', RPC)).status, 200);
    assert.ok((await sending).ok);
  });

  it('a restart closes the connection of a poll', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const polling = harness.call('GET', RPC);
    await waitForListener(harness.core);
    harness.restart();
    await assert.rejects(polling);
    assert.equal((await harness.call('GET', `${RPC}?timeout=5`)).status, 408);
  });
});

describe('the knobs silent and dead over HTTP', () => {
  it('silent: a post is stored without a response', async () => {
    await using harness = await openHttpHarness({ knobs: { silent: true } });
    await withDevice(harness.core);
    const leaving = new AbortController();
    const posting = harness.call('POST', `/api/v1/${TOKEN}/telemetry`, '{"a":1}', { signal: leaving.signal });
    const failed = assert.rejects(posting, { name: 'AbortError' });
    while (harness.core.admin.points().length === 0) await settlePromises();
    await expectResponse(harness, { silent: false });
    leaving.abort();
    await failed;
  });

  it('dead: a post has no effect until the knob is reset', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const leaving = new AbortController();
    const requested = killOnRequest(harness.core.knobs);
    const posting = harness.call('POST', `/api/v1/${TOKEN}/telemetry`, '{"a":1}', { signal: leaving.signal });
    const failed = assert.rejects(posting, { name: 'AbortError' });
    await requested;
    await expectResponse(harness, { dead: false });
    leaving.abort();
    await failed;
    assert.deepEqual(harness.core.admin.points(), []);
  });

  it('silent: a two-way RPC is sent again by the next poll', async () => {
    await using harness = await openHttpHarness({ knobs: { silent: true } });
    await withDevice(harness.core);
    const leaving = new AbortController();
    const polling = assert.rejects(harness.call('GET', RPC, undefined, { signal: leaving.signal }));
    await waitForListener(harness.core);
    const sending = harness.core.admin.sendRpc('gw-0001', { method: 'reboot' });
    while (harness.core.admin.devices()[0]?.listeners !== 0) await settlePromises();
    await settlePromises();
    harness.core.admin.updateKnobs({ silent: false });
    assert.match((await harness.call('GET', RPC)).body, /reboot/);
    await harness.call('POST', `${RPC}/0`, '{}');
    await sending;
    leaving.abort();
    await polling;
  });
});

/** A complete exchange, after which a response to the earlier request would have arrived. */
async function expectResponse(harness: HttpHarness, knobs: Partial<Knobs>): Promise<void> {
  harness.core.admin.updateKnobs(knobs);
  assert.equal((await harness.call('GET', `/api/v1/${TOKEN}/attributes`)).status, 200);
}

/** Sets the knob `dead` and resolves when a request has read it: an unread request has no other effect. */
function killOnRequest(knobs: Knobs): Promise<void> {
  return new Promise((resolve) => {
    const get = (): boolean => {
      Object.defineProperty(knobs, 'dead', { value: true, writable: true, enumerable: true });
      resolve();
      return true;
    };
    Object.defineProperty(knobs, 'dead', { get, configurable: true, enumerable: true });
  });
}
