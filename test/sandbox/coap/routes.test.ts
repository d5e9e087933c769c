/** The route of each path and method (contract section 1.1). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDatagram } from '../../../src/sandbox/coap/message.ts';
import { findRoute, type Route } from '../../../src/sandbox/coap/routes.ts';
import { openCoapHarness } from '../helpers/coap-harness.ts';
import { codeOf, option, optionHex, payloadText, request } from '../helpers/coap-peer.ts';
import { gateway } from '../helpers/fake-coap-core.ts';

const rejected = (code: '4.00' | '4.01' | '4.04' | '4.05'): Route => ({ to: 'rejected', code });
const register = [option(6, '')];
const cancel = [option(6, '01')];
const token = 'T';

const table: readonly [string, string, Route, options?: ReturnType<typeof option>[]][] = [
  ['POST', '/api/v1/provision', { to: 'provision' }],
  ['POST', '/api/v1/T/provision', { to: 'provision' }],
  ['POST', '/api/v1/PROVISION', { to: 'provision' }],
  ['POST', '/api/v1/T/telemetry', { to: 'telemetry', token }],
  ['POST', '/api/v1/T/TeleMetry', { to: 'telemetry', token }],
  ['POST', '/api/v1/T/telemetry/and/more', { to: 'telemetry', token }],
  ['POST', '/api/v1/T/attributes', { to: 'attributes', token }],
  ['POST', '/api/v1/T/attributes/updates', { to: 'attributes', token }],
  ['POST', '/api/v1/T/claim', { to: 'claim', token }],
  ['POST', '/api/v1/T/rpc', { to: 'client-rpc', token }],
  ['POST', '/api/v1/T/rpc/abc', { to: 'client-rpc', token }],
  ['POST', '/api/v1/T/rpc/99999999999', { to: 'client-rpc', token }],
  ['POST', '/api/v1/T/rpc/7', { to: 'rpc-reply', token, id: 7 }],
  ['POST', '/api/v1/T/rpc/7/x', { to: 'rpc-reply', token, id: 7 }],
  ['GET', '/api/v1/T/attributes', { to: 'read', token }],
  ['GET', '/api/v1/T/attributes/updates', { to: 'read', token }],
  ['GET', '/api/v1/T/attributes', { to: 'observe', feature: 'attributes', token }, register],
  ['GET', '/api/v1/T/attributes', { to: 'cancel', feature: 'attributes', token }, cancel],
  ['GET', '/api/v1/T/rpc', { to: 'observe', feature: 'rpc', token }, register],
  ['GET', '/api/v1/T/rpc', { to: 'cancel', feature: 'rpc', token }, cancel],
  ['GET', '/api/v1/T/rpc', rejected('4.00')],
  ['GET', '/api/v1/T/claim', rejected('4.00')],
  ['GET', '/api/v1/T/telemetry', rejected('4.00')],
  ['GET', '/api/v1/T/telemetry', rejected('4.00'), register],
  ['GET', '/api/v1/provision', rejected('4.00')],
  ['GET', '/api/v1', rejected('4.00')],
  ['POST', '/api/v1', rejected('4.00')],
  ['POST', '/api/v1/T', rejected('4.00')],
  ['GET', '/api/v1/T/unknownword', rejected('4.00')],
  ['POST', '/api/v1/telemetry', { to: 'telemetry', token: undefined }],
  ['GET', '/api/v1/attributes', { to: 'read', token: undefined }],
  // The form for client certificates: four segments, the last one a number; the feature is taken for the
  // token, which is ignored if the certificate is that of a device.
  ['POST', '/api/v1/rpc/7', { to: 'rpc-reply', token: 'rpc', id: 7 }],
  ['PUT', '/api/v1/T/telemetry', rejected('4.05')],
  ['DELETE', '/api/v1', rejected('4.05')],
  ['FETCH', '/api/v1/T/attributes', rejected('4.05')],
  ['PATCH', '/api/v1/T/attributes', rejected('4.05')],
  ['iPATCH', '/api/v1/T/attributes', rejected('4.05')],
  ['GET', '/', { to: 'banner' }],
  ['GET', '/.well-known/core', { to: 'discovery' }],
  ['GET', '/nope', rejected('4.04')],
  ['GET', '/API/v1/T/attributes', rejected('4.04')],
  ['GET', '/api', rejected('4.05')],
  ['POST', '/api', rejected('4.05')],
  ['GET', '/api/v2/x', rejected('4.04')],
  ['GET', '/fw/T', { to: 'package', type: 'firmware', token }],
  ['GET', '/sw/T', { to: 'package', type: 'software', token }],
  ['GET', '/fw', { to: 'rejected', code: '4.01', isAcknowledged: true }],
  ['GET', '/sw/a/b', { to: 'rejected', code: '4.01', isAcknowledged: true }],
  ['POST', '/fw/T', rejected('4.05')],
  ['POST', '/efento/m', rejected('4.04')],
];

test('every path and method of the contract has the route of the server', () => {
  for (const [method, path, expected, options = []] of table) {
    assert.deepEqual(route(request(method, { messageId: 1, path, options })), expected, `${method} ${path}`);
  }
});

test('a path in one option is split at its slashes', () => {
  const whole = (path: string) =>
    route(request('POST', { messageId: 1, path: '', options: [option(11, Buffer.from(path))] }));
  assert.deepEqual(whole('api/v1/T/telemetry'), { to: 'telemetry', token });
  assert.deepEqual(whole('/api/v1/T/telemetry'), { to: 'telemetry', token });
});

test('the banner is text, the discovery is link format', async () => {
  await using harness = await openCoapHarness();
  harness.peer.send(request('GET', { messageId: 1, path: '/' }));
  const banner = await harness.peer.next();
  assert.equal(codeOf(banner), '2.05');
  harness.peer.send(request('GET', { messageId: 2, path: '/.well-known/core' }));
  const links = (await harness.peer.next()) ?? Buffer.alloc(0);
  assert.equal(optionHex(links, 'Content-Format'), '28');
  assert.match(payloadText(links), /^<\/.*>/);
});

test('attribute keys are split at commas, malformed items are ignored', async () => {
  await using harness = await openCoapHarness({ knobs: { kindA: 'piggyback' } });
  for (const [index, [query, keys]] of (
    [
      [['clientKeys=a,b,a'], '{"clientKeys":["a","b"]}'],
      [['sharedKeys=c'], '{"sharedKeys":["c"]}'],
      [['clientKeys=', 'sharedKeys=a=b'], '{}'],
      [[], '{}'],
    ] as const
  ).entries()) {
    harness.peer.send(request('GET', { messageId: index, path: '/api/v1/tok/attributes', query }));
    await harness.peer.next();
    assert.equal(harness.core.calls.pop(), `read ${keys}`);
  }
});

test('an attribute response has the content format of its request', async () => {
  await using harness = await openCoapHarness({ knobs: { kindA: 'piggyback' } });
  for (const [messageId, format, answered] of [
    [1, undefined, '32'],
    [2, '', ''],
    [3, '2a', '2a'],
  ] as const) {
    const options = format === undefined ? [] : [option(12, format)];
    harness.peer.send(request('GET', { messageId, path: '/api/v1/tok/attributes', options }));
    const answer = (await harness.peer.next()) ?? Buffer.alloc(0);
    assert.equal(optionHex(answer, 'Content-Format'), answered);
  }
});

test('a device certificate replaces the token', async () => {
  let certificate: string | undefined = 'device';
  await using harness = await openCoapHarness({
    knobs: { kindA: 'piggyback' },
    certificateOf: () => certificate,
  });
  harness.core.certificates.set('device', { status: 'ok', device: gateway });
  let messageId = 0;
  const post = async (path: string, method = 'POST'): Promise<string> => {
    messageId += 1;
    harness.peer.send(request(method, { messageId, path, payload: '{"a":1}' }));
    return codeOf(await harness.peer.next());
  };
  assert.equal(await post('/api/v1/telemetry'), '2.01');
  assert.equal(await post('/api/v1/wrong/telemetry'), '2.01', 'the token is ignored');
  assert.equal(await post('/api/v1/rpc/7'), '2.01');
  assert.equal(harness.core.calls.pop(), 'rpc reply 7 {"a":1}');
  for (certificate of ['stranger', undefined]) {
    assert.equal(await post('/api/v1/telemetry'), '4.01');
    assert.equal(await post('/api/v1/wrong/telemetry'), '4.01');
    assert.equal(await post('/api/v1/tok/telemetry'), '2.01');
  }
});

function route(datagram: Buffer): Route {
  const inbound = parseDatagram(datagram, { address: '127.0.0.1', port: 1 });
  assert.ok(inbound?.type === 'request');
  return findRoute(inbound.request);
}
