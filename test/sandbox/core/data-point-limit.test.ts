/** The limit of data points per device (contract section 10). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseLimits } from '../../../src/sandbox/core/data-point-limit.ts';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { CoapPeer, request } from '../helpers/coap-peer.ts';
import { httpClient } from '../helpers/http-client.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { openQuickCore, PROFILE, withDevice } from '../helpers/quick-core.ts';

async function openHarness(dataPointLimit: string) {
  const clock = new ManualClock();
  const core = openQuickCore({ clock, knobs: { dataPointLimit } });
  const device = await withDevice(core);
  let ts = 0;
  return {
    clock,
    core,
    device,
    /** Posts a message with so many keys; true if it was accepted. */
    post: async (keys: number): Promise<boolean> => {
      ts += 1;
      const values = Object.fromEntries(Array.from({ length: keys }, (_, index) => [`k${index}`, ts]));
      const body = JSON.stringify({ ts, values });
      return (await core.telemetry(device, body, 'coap')).status === 'accepted';
    },
  };
}

describe('parseLimits', () => {
  it('parseLimits reads points and seconds', () => {
    assert.deepEqual(parseLimits('20:1,600:60'), [
      { points: 20, seconds: 1 },
      { points: 600, seconds: 60 },
    ]);
    assert.deepEqual(parseLimits(''), []);
  });

  for (const text of ['20', '20:', ':1', '0:1', '20:0', '20:1,', '-1:1', '1.5:1', '20:1;600:60', ' 20:1']) {
    it(`parseLimits rejects ${JSON.stringify(text)}`, () => assert.equal(parseLimits(text), undefined));
  }

  it('the knob names its form', () => {
    const core = openQuickCore();
    const answer = core.admin.updateKnobs({ dataPointLimit: '20/s' });
    assert.match(
      answer.ok ? '' : answer.message,
      /^dataPointLimit: "20\/s" is not a text such as 20:1,600:60/,
    );
  });
});

describe('the limit of data points', () => {
  it('without the knob there is no limit', async () => {
    const { post } = await openHarness('');
    assert.ok(await post(10_000));
  });

  it('a post over the limit fails as a whole, stores nothing and costs nothing', async () => {
    const { core, post } = await openHarness('20:1');
    assert.ok(await post(15));
    assert.ok(!(await post(6)));
    assert.ok(await post(5));
    assert.equal(core.admin.points().length, 20);
  });

  it('the limit refills steadily, not at once at the end of the second', async () => {
    const { clock, post } = await openHarness('20:1');
    assert.ok(await post(20));
    await clock.advance(499);
    assert.ok(!(await post(10)));
    await clock.advance(1);
    assert.ok(await post(10));
    assert.ok(!(await post(1)));
  });

  it('every limit must hold: 20 a second, but no more than 60 a minute', async () => {
    const { clock, post } = await openHarness('20:1,60:60');
    for (let second = 0; second < 3; second += 1) {
      assert.ok(await post(20), `second ${second}`);
      await clock.advance(1_000);
    }
    assert.ok(!(await post(20)));
    await clock.advance(17_000);
    assert.ok(await post(20));
    assert.ok(!(await post(1)));
  });

  it('a message larger than the limit never passes', async () => {
    const { clock, post } = await openHarness('20:1');
    await clock.advance(3_600_000);
    assert.ok(!(await post(21)));
  });

  it('points are counted per key and element, null and empty ones not', async () => {
    const { core, device } = await openHarness('4:60');
    const status = async (body: string) => (await core.telemetry(device, body, 'http')).status;
    assert.equal(await status('[{"a":1,"b":null},{"ts":1,"values":{"a":1,"b":2}},{}]'), 'accepted');
    assert.equal(await status('{"a":1,"b":2}'), 'failed');
    assert.equal(await status('{"a":1}'), 'accepted');
    assert.equal(await status('{}'), 'accepted');
    assert.equal(await status('{'), 'malformed');
  });

  it('attributes count too, reads do not', async () => {
    const { core, device, post } = await openHarness('4:60');
    assert.equal((await core.publishAttributes(device, '{"a":1,"b":2,"c":3}', 'coap')).status, 'accepted');
    assert.equal((await core.publishAttributes(device, '{"a":1,"b":2}', 'coap')).status, 'failed');
    assert.equal((await core.readAttributes(device, {})).status, 'found');
    assert.ok(await post(1));
    assert.ok(!(await post(1)));
  });

  it('each device has its own limit, and a new limit starts full', async () => {
    const { core, post } = await openHarness('4:60');
    assert.ok(await post(4));
    const created = core.admin.createDevice({ name: 'other', token: 'other' });
    assert.ok(created.ok);
    const check = await core.checkToken('other');
    assert.ok(check.status === 'ok');
    assert.equal((await core.telemetry(check.device, '{"a":1}', 'coap')).status, 'accepted');
    assert.ok(!(await post(1)));
    core.admin.updateKnobs({ dataPointLimit: '5:60' });
    assert.ok(await post(5));
    core.admin.updateKnobs({ dataPointLimit: '' });
    assert.ok(await post(1_000));
  });

  it('over the limit CoAP gets an empty 5.00, HTTP an empty 500', async () => {
    const knobs = { coreLatencyMinMs: 0, coreLatencyMaxMs: 0, dataPointLimit: '2:60' };
    await using sandbox = await openSandbox({ provisioning: PROFILE, knobs });
    sandbox.core.admin.createDevice({ name: 'gw', token: 'tok' });
    await using peer = await CoapPeer.open(sandbox.coapPort);
    const payload = '{"a":1,"b":2,"c":3}';
    peer.send(request('POST', { messageId: 1, path: '/api/v1/tok/telemetry', payload }));
    await peer.expect('61a000017a');
    const post = httpClient(sandbox.httpPort);
    assert.deepEqual(await post({ method: 'POST', path: '/api/v1/tok/telemetry', body: payload }), {
      status: 500,
      body: '',
      contentType: '',
    });
    assert.deepEqual(sandbox.points(), []);
  });
});
