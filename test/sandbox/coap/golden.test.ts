/**
 * The golden examples of the contract (section 12), byte for byte, against the CoAP server over the real
 * core. `....` masks the message IDs that the server chooses.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openCoapServer } from '../../../src/sandbox/coap/coap-server.ts';
import { openCore } from '../../../src/sandbox/core/core.ts';
import type { Knobs } from '../../../src/sandbox/core/model/types.ts';
import { CoapPeer, option, request } from '../helpers/coap-peer.ts';

const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';
const TOKEN_HEX = Buffer.from(TOKEN).toString('hex');

const provisionHead = '420210015a01b36170690276310970726f766973696f6e1132';
const provisionBody =
  'ff7b226465766963654e616d65223a2267772d30303031222c2270726f766973696f6e4465766963654b6579223a22706b31222c2270726f766973696f6e446576696365536563726574223a22707331227d';
const provision = provisionHead + provisionBody;
const issued =
  '5a01c0ff7b2263726564656e7469616c7356616c7565223a22734c7a63306744415a506b474d7a465654795559222c2263726564656e7469616c7354797065223a224143434553535f544f4b454e222c22737461747573223a2253554343455353227d';
const notFound =
  '628010015a01c0ff7b226572726f724d7367223a2250726f766973696f6e206461746120776173206e6f7420666f756e6421222c22737461747573223a224e4f545f464f554e44227d';
const failure =
  '5a01c0ff7b226572726f724d7367223a224661696c656420746f2070726f766973696f6e2064657669636521222c22737461747573223a224641494c555245227d';

const telemetryTo = (token: string): string =>
  `420210025a01b36170690276310d07${Buffer.from(token).toString('hex')}0974656c656d657472791132`;
const goldenPoint = 'ff7b227473223a313730303030303030303030302c2276616c756573223a7b22637075223a31322e357d7d';
const telemetry = telemetryTo(TOKEN) + goldenPoint;

/** A server with a peer, and by default with the device of the examples. */
async function openHarness({ knobs = {}, device = true }: { knobs?: Partial<Knobs>; device?: boolean } = {}) {
  const core = openCore({
    provisioning: { key: 'pk1', secret: 'ps1' },
    knobs: { coreLatencyMinMs: 0, coreLatencyMaxMs: 5, ...knobs },
    generateToken: () => TOKEN,
  });
  if (device) core.admin.createDevice({ name: 'gw-1', token: TOKEN });
  const server = await openCoapServer({ core, host: '127.0.0.1', port: 0 });
  const peer = await CoapPeer.open(server.port);
  return {
    core,
    server,
    peer,
    [Symbol.asyncDispose]: async () => {
      await peer[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      core.close();
    },
  };
}

describe('golden examples', { concurrency: true }, () => {
  test('P1: a fast provisioning success is piggybacked with a zero-length content format', async () => {
    await using harness = await openHarness({ device: false });
    harness.peer.send(provision);
    await harness.peer.expect(`62411001${issued}`);
    harness.peer.send(provision);
    await harness.peer.expect(`62411001${issued}`);
    assert.equal(harness.core.admin.devices().length, 1);
    assert.equal(harness.core.admin.duplicateDatagrams().length, 1);
    harness.peer.send(provision.replace('42021001', '42021009'));
    await harness.peer.expect(`62801009${failure}`);
  });

  test('P2: a wrong secret, a wrong key and disabled provisioning look the same', async () => {
    await using harness = await openHarness();
    harness.peer.send(provision.replace('22707331227d', '22707332227d'));
    await harness.peer.expect(notFound);
    harness.peer.send(provision.replace('42021001', '42021002').replace('22706b31', '22706b32'));
    await harness.peer.expect(notFound.replace('62801001', '62801002'));
    harness.core.admin.updateKnobs({ strategy: 'disabled' });
    harness.peer.send(provision.replace('42021001', '42021003'));
    await harness.peer.expect(notFound.replace('62801001', '62801003'));
  });

  test('P3: an existing device and one not pre-provisioned get FAILURE as JSON', async () => {
    await using harness = await openHarness({ device: false });
    harness.core.admin.createDevice({ name: 'gw-0001' });
    harness.peer.send(provision);
    await harness.peer.expect(`62801001${failure}`);
    harness.core.admin.updateKnobs({ strategy: 'pre-provisioned' });
    harness.peer.send(provision.replace('42021001', '42021002').replace('67772d30303031', '67772d30303032'));
    await harness.peer.expect(`62801002${failure}`);
  });

  test('P4: slow provisioning gets an empty ACK at 500 ms and a separate CON', async () => {
    await using harness = await openHarness({
      device: false,
      knobs: { coreLatencyMinMs: 700, coreLatencyMaxMs: 700 },
    });
    const sentMs = performance.now();
    harness.peer.send(provision);
    await harness.peer.expect('60001001');
    const ackMs = performance.now() - sentMs;
    assert.ok(ackMs > 490, `acknowledged after ${ackMs} ms`);
    const answer = await harness.peer.expect(`4241....${issued}`);
    harness.peer.answer(answer);
    harness.peer.send(provision);
    await harness.peer.expect('60001001');
    await harness.peer.expectSilence(100);
  });

  test('P5: an empty payload gets a protobuf response', async () => {
    await using harness = await openHarness();
    harness.peer.send(provisionHead);
    await harness.peer.expect('628010015a01ff0802');
  });

  test('P6: malformed JSON, a missing member and a null member get an empty 4.00', async () => {
    await using harness = await openHarness();
    const bodies = [
      '{',
      '{"provisionDeviceKey":"pk1"}',
      '{"deviceName":null,"provisionDeviceKey":"pk1","provisionDeviceSecret":"ps1"}',
    ];
    for (const [index, body] of bodies.entries()) {
      const mid = `100${index + 1}`;
      harness.peer.send(
        `${provisionHead.replace('42021001', `4202${mid}`)}ff${Buffer.from(body).toString('hex')}`,
      );
      await harness.peer.expect(`6280${mid}5a01`);
    }
  });

  test('T1: telemetry gets a CON without an ACK, and its duplicate only an ACK', async () => {
    await using harness = await openHarness();
    harness.peer.send(telemetry);
    const answer = await harness.peer.expect('4241....5a01');
    await harness.peer.expectSilence(100);
    harness.peer.answer(answer);
    await harness.peer.expectSilence(50);
    harness.peer.send(telemetry);
    await harness.peer.expect('60001002');
    await harness.peer.expectSilence(50);
    assert.deepEqual(
      harness.core.admin.points().map(({ key, ts, value, type, via }) => ({ key, ts, value, type, via })),
      [{ key: 'cpu', ts: 1700000000000, value: 12.5, type: 'double', via: 'coap' }],
    );
  });

  test('T1: the corrected server piggybacks, and a NON request gets a NON', async () => {
    await using harness = await openHarness({ knobs: { kindA: 'piggyback' } });
    harness.peer.send(telemetry);
    await harness.peer.expect('624110025a01');
    harness.peer.send(`52021003${telemetry.slice(8)}`);
    await harness.peer.expect('5241....5a01');
  });

  test('T2: an unknown token gets a piggybacked 4.01', async () => {
    await using harness = await openHarness();
    harness.peer.send(telemetryTo('sLzc0gDAZPkGMzFVTyUZ') + goldenPoint);
    await harness.peer.expect('628110025a01');
  });

  test('T3: malformed JSON gets a piggybacked 4.00', async () => {
    await using harness = await openHarness();
    harness.peer.send(`${telemetryTo(TOKEN)}ff7b`);
    await harness.peer.expect('628010025a01');
  });

  test('T4: the rate limit gives a piggybacked 5.00', async () => {
    await using harness = await openHarness({ knobs: { rateLimited: true } });
    harness.peer.send(telemetry);
    await harness.peer.expect('62a010025a01');
  });

  test('T5: an empty array gets an ACK at 500 ms and no response', async () => {
    await using harness = await openHarness();
    harness.peer.send(`${telemetryTo(TOKEN)}ff5b5d`);
    await harness.peer.expectSilence(450);
    await harness.peer.expect('60001002');
    await harness.peer.expectSilence(300);
  });

  test('T6: slow telemetry gets an ACK at 500 ms and a CON', async () => {
    await using harness = await openHarness({ knobs: { coreLatencyMinMs: 650, coreLatencyMaxMs: 650 } });
    harness.peer.send(telemetry);
    await harness.peer.expect('60001002');
    await harness.peer.expect('4241....5a01');
  });

  test('B1: three blocks are assembled and the response echoes the last one', async () => {
    await using harness = await openHarness();
    const body = JSON.stringify({ text: 'x'.repeat(3000 - 11) });
    assert.equal(body.length, 3000);
    const block = (messageId: number, value: string, num: number) =>
      harness.peer.send(
        request('POST', {
          messageId,
          token: '5a01',
          path: `/api/v1/${TOKEN}/telemetry`,
          options: [option(27, value)],
          payload: body.slice(num * 1024, (num + 1) * 1024),
        }),
      );
    block(1, '0e', 0);
    await harness.peer.expect('625f00015a01d10e0e');
    block(2, '1e', 1);
    await harness.peer.expect('625f00025a01d10e1e');
    block(3, '26', 2);
    await harness.peer.expect('4241....5a01d10e26');
    assert.equal(harness.core.admin.points()[0]?.value, 'x'.repeat(2989));
  });

  test('B1: a transfer that starts in the middle gets 4.08 with a text', async () => {
    await using harness = await openHarness();
    const path = `/api/v1/${TOKEN}/telemetry`;
    harness.peer.send(
      request('POST', { messageId: 1, token: '5a01', path, options: [option(27, '2e')], payload: 'x' }),
    );
    const answer = await harness.peer.next();
    assert.match(answer?.toString('hex') ?? '', /^628800015a01.*ff/);
  });

  test('A1: updates are numbered, deletions are named, a cancel only gets an ACK', async () => {
    await using harness = await openHarness();
    const head = '0b01';
    const path = `70690276310d07${TOKEN_HEX}0a61747472696275746573`;
    harness.peer.send(`42011003${head}605361${path}`);
    await harness.peer.expect('624510030b01606132ff7b7d');
    harness.core.admin.setSharedAttributes('gw-1', '{"uploadPeriod":60}');
    harness.peer.answer(
      await harness.peer.expect('4245....0b0161016132ff7b2275706c6f6164506572696f64223a36307d'),
    );
    await harness.peer.settle();
    harness.core.admin.deleteSharedAttributes('gw-1', ['uploadPeriod']);
    harness.peer.answer(
      await harness.peer.expect(
        '4245....0b0161026132ff7b2264656c65746564223a5b2275706c6f6164506572696f64225d7d',
      ),
    );
    harness.peer.send(`42011004${head}61015361${path}`);
    await harness.peer.expectSilence(450);
    await harness.peer.expect('60001004');
    harness.core.admin.setSharedAttributes('gw-1', '{"uploadPeriod":61}');
    await harness.peer.expectSilence(200);
  });

  test('A1: deleting a device ends its observation with a CON 2.02 and Observe 0', async () => {
    await using harness = await openHarness();
    harness.peer.send(`420110030b01605361${`70690276310d07${TOKEN_HEX}0a61747472696275746573`}`);
    await harness.peer.expect('624510030b01606132ff7b7d');
    harness.core.admin.deleteDevice('gw-1');
    await harness.peer.expect('4242....0b0160');
    harness.peer.send(telemetry);
    await harness.peer.expect('628110025a01');
  });

  test('A2: reading attributes gets a CON 2.05, or a CON 4.04 without a match', async () => {
    await using harness = await openHarness();
    const path = `/api/v1/${TOKEN}/attributes`;
    harness.peer.send(request('POST', { messageId: 1, path, payload: '{"a":1}' }));
    harness.peer.answer(await harness.peer.expect('4141....7a'));
    harness.core.admin.setSharedAttributes('gw-1', '{"b":"x"}');
    const query = ['clientKeys=a', 'sharedKeys=b'];
    harness.peer.send(request('GET', { messageId: 2, path, query }));
    const json = Buffer.from('{"client":{"a":1},"shared":{"b":"x"}}').toString('hex');
    harness.peer.answer(await harness.peer.expect(`4145....7ac132ff${json}`));
    harness.peer.send(request('GET', { messageId: 3, path, query: ['clientKeys=zzz'] }));
    await harness.peer.expect('4184....7ac132');
  });

  test('R1: RPCs follow a CON 2.03, and a reply that is not an object gets 5.00', async () => {
    await using harness = await openHarness();
    const path = `/api/v1/${TOKEN}/rpc`;
    harness.peer.send(request('GET', { messageId: 1, token: '0b04', path, options: [option(6, '')] }));
    harness.peer.answer(await harness.peer.expect('4243....0b0460'));
    await harness.peer.settle();
    const outcome = harness.core.admin.sendRpc('gw-1', { method: 'reboot', params: { delay: 5 } });
    harness.peer.answer(
      await harness.peer.expect(
        '4245....0b0461016132ff7b226964223a302c226d6574686f64223a227265626f6f74222c22706172616d73223a7b2264656c6179223a357d7d',
      ),
    );
    harness.peer.send(request('POST', { messageId: 2, token: '5a01', path: `${path}/0`, payload: '"ok"' }));
    await harness.peer.expect('62a000025a01');
    harness.peer.send(
      request('POST', { messageId: 3, token: '5a01', path: `${path}/0`, payload: '{"ok":true}' }),
    );
    await harness.peer.expect('4241....5a01');
    assert.deepEqual(await outcome, {
      ok: true,
      value: { status: 'replied', id: 0, reply: '{"ok":true}' },
    });
  });

  test('M1: wrong paths and methods get their codes, an oversized datagram nothing', async () => {
    await using harness = await openHarness();
    harness.peer.send(request('GET', { messageId: 1, path: '/api/v2/x' }));
    await harness.peer.expect('618400017a');
    harness.peer.send(request('PUT', { messageId: 2, path: `/api/v1/${TOKEN}/telemetry`, payload: '{}' }));
    await harness.peer.expect('618500027a');
    harness.peer.send(request('GET', { messageId: 3, path: `/api/v1/${TOKEN}/foo` }));
    await harness.peer.expect('618000037a');
    harness.peer.send('40001234');
    await harness.peer.expect('70001234');
    const long = request('POST', {
      messageId: 4,
      path: `/api/v1/${TOKEN}/telemetry`,
      payload: JSON.stringify({ text: 'x'.repeat(2043) }),
    });
    assert.ok(long.length > 2090);
    harness.peer.send(long);
    await harness.peer.expectSilence(600);
  });
});
