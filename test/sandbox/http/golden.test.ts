/** The HTTP device API, response by response (contract sections 3 to 8). */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { openHttpHarness } from '../helpers/http-harness.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { provisionBody, TOKEN, withDevice } from '../helpers/quick-core.ts';

const EMPTY = { body: '', contentType: '' };
const TEXT = 'text/plain;charset=UTF-8';
const JSON_TYPE = 'application/json';

describe('provisioning over HTTP', () => {
  it('provisioning gets 200 with credentials, as text/plain or JSON', async () => {
    await using harness = await openHttpHarness({ generateToken: () => TOKEN });
    const answer = await harness.call('POST', '/api/v1/provision', provisionBody({ deviceName: 'gw-0001' }));
    const body = `{"credentialsValue":"${TOKEN}","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}`;
    assert.deepEqual(answer, { status: 200, body, contentType: TEXT });
    const json = await harness.call('POST', '/api/v1/provision', provisionBody({ deviceName: 'gw-0001' }), {
      headers: { Accept: 'application/json' },
    });
    assert.equal(json.contentType, JSON_TYPE);
  });

  it('provisioning gets 200 with NOT_FOUND or FAILURE', async () => {
    await using harness = await openHttpHarness();
    const wrong = await harness.call(
      'POST',
      '/api/v1/provision',
      provisionBody({ provisionDeviceSecret: 'x' }),
    );
    assert.equal(wrong.status, 200);
    assert.equal(wrong.body, '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}');
    await harness.call('POST', '/api/v1/provision', provisionBody({ deviceName: 'gw' }));
    const again = await harness.call('POST', '/api/v1/provision', provisionBody({ deviceName: 'gw' }));
    assert.equal(again.status, 200);
    assert.equal(again.body, '{"errorMsg":"Failed to provision device!","status":"FAILURE"}');
  });

  it('provisioning gets 500 with the error object for malformed JSON', async () => {
    await using harness = await openHttpHarness({ clock: new ManualClock(1_700_000_000_000) });
    const { status, body, contentType } = await harness.call('POST', '/api/v1/provision', '{');
    assert.equal(status, 500);
    assert.equal(contentType, JSON_TYPE);
    assert.deepEqual(JSON.parse(body), {
      status: 500,
      message: 'End of input at line 1 column 2',
      errorCode: 2,
      timestamp: 1_700_000_000_000,
    });
  });

  it('provisioning gets an empty 500 if the core does not answer', async () => {
    await using harness = await openHttpHarness({ coreTimeoutMs: 5, knobs: { strategy: 'chain' } });
    const answer = await harness.call('POST', '/api/v1/provision', provisionBody());
    assert.deepEqual(answer, { status: 500, ...EMPTY });
  });
});

describe('telemetry over HTTP', () => {
  it('telemetry gets an empty 200 and is stored', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const answer = await harness.call('POST', `/api/v1/${TOKEN}/telemetry`, '{"cpu":1}');
    assert.deepEqual(answer, { status: 200, ...EMPTY });
    const [point] = harness.core.admin.points();
    assert.deepEqual([point?.key, point?.value, point?.via], ['cpu', 1, 'http']);
  });

  it('telemetry gets an empty 401 for an unknown token', async () => {
    await using harness = await openHttpHarness();
    assert.deepEqual(await harness.call('POST', '/api/v1/nobody/telemetry', '{"a":1}'), {
      status: 401,
      ...EMPTY,
    });
    assert.equal((await harness.call('POST', '/api/v1/nobody/telemetry', '{')).status, 401);
  });

  it('telemetry gets 500 with the parser message for malformed JSON', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const answer = await harness.call('POST', `/api/v1/${TOKEN}/telemetry`, '{');
    assert.deepEqual(answer, { status: 500, body: 'End of input at line 1 column 2', contentType: TEXT });
  });

  it('telemetry gets an empty 500 for an invalid ts and under the rate limit', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const path = `/api/v1/${TOKEN}/telemetry`;
    assert.deepEqual(await harness.call('POST', path, '{"ts":"x","values":{}}'), { status: 500, ...EMPTY });
    harness.core.admin.updateKnobs({ rateLimited: true });
    assert.deepEqual(await harness.call('POST', path, '{"a":1}'), { status: 500, ...EMPTY });
  });

  it('telemetry with an empty array gets 503 at the asynchronous timeout', async () => {
    await using harness = await openHttpHarness({ asyncTimeoutMs: 5 });
    await withDevice(harness.core);
    const { status, body } = await harness.call('POST', `/api/v1/${TOKEN}/telemetry`, '[]');
    assert.equal(status, 503);
    assert.equal(JSON.parse(body).errorCode, 2);
  });

  it('telemetry gets an empty 500 if the token check times out', async () => {
    await using harness = await openHttpHarness({
      coreTimeoutMs: 5,
      knobs: { coreLatencyMinMs: 20, coreLatencyMaxMs: 20 },
    });
    assert.deepEqual(await harness.call('POST', '/api/v1/any/telemetry', '{}'), { status: 500, ...EMPTY });
  });

  it('telemetry is independent of the transport type of the profile', async () => {
    await using harness = await openHttpHarness({ knobs: { transportType: 'MQTT' } });
    await withDevice(harness.core);
    assert.equal((await harness.call('POST', `/api/v1/${TOKEN}/telemetry`, '{"a":1}')).status, 200);
  });

  it('telemetry sent as a form gets 500', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const answer = await harness.call('POST', `/api/v1/${TOKEN}/telemetry`, '{"a":1}', { headers });
    assert.equal(answer.status, 500);
    assert.deepEqual(harness.core.admin.points(), []);
  });

  it('telemetry is accepted in chunks that split UTF-8 characters', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const socket = connect(harness.port, '127.0.0.1');
    const body = Buffer.from('{"k":"ä"}');
    const head = `POST /api/v1/${TOKEN}/telemetry HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = (part: Buffer): Buffer =>
      Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
    socket.write(Buffer.concat([Buffer.from(head), chunk(body.subarray(0, 7))]));
    socket.end(Buffer.concat([chunk(body.subarray(7)), Buffer.from('0\r\n\r\n')]));
    for await (const _ of socket);
    assert.equal(harness.core.admin.points()[0]?.value, 'ä');
  });
});

describe('attributes over HTTP', () => {
  it('reading attributes without a match gets {}', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const answer = await harness.call('GET', `/api/v1/${TOKEN}/attributes`);
    assert.deepEqual(answer, { status: 200, body: '{}', contentType: JSON_TYPE });
  });

  it('published attributes can be read by key', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const path = `/api/v1/${TOKEN}/attributes`;
    assert.deepEqual(await harness.call('POST', path, '{"a":1,"b":2,"c":3}'), { status: 200, ...EMPTY });
    harness.core.admin.setSharedAttributes('gw-0001', '{"s":"x"}');
    assert.equal((await harness.call('GET', path)).body, '{"client":{"a":1,"b":2,"c":3},"shared":{"s":"x"}}');
    assert.equal((await harness.call('GET', `${path}?clientKeys=a,c`)).body, '{"client":{"a":1,"c":3}}');
    assert.equal(
      (await harness.call('GET', `${path}?clientKeys=&sharedKeys=s`)).body,
      '{"shared":{"s":"x"}}',
    );
    assert.equal(
      (await harness.call('GET', `${path}?clientKeys=a&sharedKeys=zz`)).body,
      '{"client":{"a":1}}',
    );
  });

  it('publishing attributes that are not an object gets 500 with a text', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const { status, contentType } = await harness.call('POST', `/api/v1/${TOKEN}/attributes`, '[]');
    assert.deepEqual([status, contentType], [500, TEXT]);
  });

  it('a rate-limited read gets 503 at the asynchronous timeout', async () => {
    await using harness = await openHttpHarness({ asyncTimeoutMs: 5, knobs: { rateLimited: true } });
    await withDevice(harness.core);
    assert.equal((await harness.call('GET', `/api/v1/${TOKEN}/attributes`)).status, 503);
  });
});

describe('RPC replies, client RPC and claims over HTTP', () => {
  it('an RPC reply accepts any text; an ID that is not an integer gets 400', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const reply = await harness.call('POST', `/api/v1/${TOKEN}/rpc/1`, 'no JSON at all');
    assert.deepEqual(reply, { status: 200, ...EMPTY });
    const { status, body } = await harness.call('POST', `/api/v1/${TOKEN}/rpc/one`, '{}');
    assert.equal(status, 400);
    assert.equal(JSON.parse(body).errorCode, 31);
  });

  it('a client RPC gets no response, or 500 if it is incomplete', async () => {
    await using harness = await openHttpHarness({ asyncTimeoutMs: 5 });
    await withDevice(harness.core);
    const path = `/api/v1/${TOKEN}/rpc`;
    assert.equal((await harness.call('POST', path, '{"method":"m","params":{}}')).status, 503);
    assert.deepEqual(await harness.call('POST', path, '{"method":"m"}'), { status: 500, ...EMPTY });
  });

  it('a claim is accepted without a body; one that is not an object gets 500', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const path = `/api/v1/${TOKEN}/claim`;
    assert.deepEqual(await harness.call('POST', path, '{"secretKey":"s"}'), { status: 200, ...EMPTY });
    assert.deepEqual(await harness.call('POST', path), { status: 200, ...EMPTY });
    assert.equal((await harness.call('POST', path, '[]')).status, 500);
  });
});

describe('unknown requests over HTTP', () => {
  const rejected: readonly (readonly [
    method: string,
    path: string,
    body: string | undefined,
    status: number,
    code: number,
  ])[] = [
    ['PUT', `/api/v1/${TOKEN}/telemetry`, '{}', 405, 31],
    ['GET', `/api/v1/${TOKEN}/telemetry`, undefined, 405, 31],
    ['DELETE', `/api/v1/${TOKEN}/attributes`, undefined, 405, 31],
    ['GET', '/api/v1/provision', undefined, 405, 31],
    ['POST', `/api/v1/${TOKEN}/telemetry`, undefined, 400, 31],
    ['POST', `/api/v1/${TOKEN}/attributes`, undefined, 400, 31],
    ['POST', `/api/v1/${TOKEN}/rpc/1`, undefined, 400, 31],
    ['POST', '/api/v1/provision', undefined, 400, 31],
    ['POST', '/api/v1/nobody/telemetry', undefined, 400, 31],
    ['GET', `/api/v1/${TOKEN}/firmware?version=1`, undefined, 400, 31],
    ['GET', `/api/v1/${TOKEN}/software?title=x`, undefined, 400, 31],
    ['GET', `/api/v1/${TOKEN}/rpc?timeout=soon`, undefined, 400, 31],
    ['GET', '/api/v1/%zz/attributes', undefined, 400, 31],
    ['GET', '/nope', undefined, 404, 32],
    ['POST', `/api/v2/${TOKEN}/telemetry`, '{}', 404, 32],
    ['POST', `/api/v1/${TOKEN}/Telemetry`, '{}', 404, 32],
    ['GET', `/api/v1/${TOKEN}`, undefined, 404, 32],
    ['POST', '/api/v1/a;b/telemetry', '{}', 400, 31],
    ['POST', '/api/v1/a%3bb/telemetry', '{}', 400, 31],
    ['POST', '/api/v1/a%25b/telemetry', '{}', 400, 31],
    ['POST', '/api/v1/a%5Cb/telemetry', '{}', 400, 31],
    ['POST', '/api/v1//telemetry', '{}', 400, 31],
  ];
  for (const [method, path, body, status, code] of rejected) {
    it(`${method} ${path}${body === undefined ? ' without body' : ''} gets ${status}`, async () => {
      await using harness = await openHttpHarness();
      await withDevice(harness.core);
      const answer = await harness.call(method, path, body);
      assert.equal(answer.status, status);
      const error: unknown = JSON.parse(answer.body);
      assert.ok(typeof error === 'object' && error !== null && 'errorCode' in error && 'status' in error);
      assert.deepEqual([error.status, error.errorCode], [status, code]);
    });
  }

  it('a token with an encoded slash gets 400 with a page, even if it is valid', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core, 'a/b');
    const answer = await harness.call('POST', '/api/v1/a%2Fb/telemetry', '{"a":1}');
    assert.deepEqual([answer.status, answer.contentType], [400, 'text/html;charset=utf-8']);
    assert.match(answer.body, /^<!doctype html>/);
    assert.deepEqual(harness.core.admin.points(), []);
  });

  it('a forbidden character in the query is allowed', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const answer = await harness.call('GET', `/api/v1/${TOKEN}/attributes?clientKeys=a%2Fb;c`);
    assert.equal(answer.status, 200);
  });

  it('the members of an error are in the order of the server', async () => {
    await using harness = await openHttpHarness({ clock: new ManualClock(1_700_000_000_000) });
    const unknown = await harness.call('POST', `/api/v1/${TOKEN}/foo`, '{}');
    assert.equal(
      unknown.body,
      `{"message":"No static resource api/v1/${TOKEN}/foo.","errorCode":32,"status":404,"timestamp":1700000000000}`,
    );
    const malformed = await harness.call('POST', '/api/v1/provision', '{');
    assert.match(malformed.body, /^\{"status":500,"message":".*","errorCode":2,"timestamp":1700000000000\}$/);
  });
});

describe('size limits over HTTP', () => {
  it('an RPC reply over 65536 bytes gets 413 with a JSON string', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const body = JSON.stringify({ x: 'y'.repeat(69_992) });
    assert.equal(body.length, 70_000);
    assert.deepEqual(await harness.call('POST', `/api/v1/${TOKEN}/rpc/1`, body), {
      status: 413,
      body: '"Payload size exceeds the limit of 65536 bytes"',
      contentType: '',
    });
  });

  it('a rejected body is read to its end before the response', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const socket = connect(harness.port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += String(chunk);
    });
    const head = `POST /api/v1/${TOKEN}/rpc/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 70000\r\n\r\n`;
    socket.write(head + 'x'.repeat(35_000));
    // After a complete exchange, an early response would have arrived.
    await harness.call('GET', `/api/v1/${TOKEN}/attributes`);
    assert.equal(received, '');
    socket.end('x'.repeat(35_000));
    await once(socket, 'close');
    assert.match(received, /^HTTP\/1\.1 413 /);
  });

  it('an RPC reply of exactly 65536 bytes is accepted', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const answer = await harness.call('POST', `/api/v1/${TOKEN}/rpc/1`, 'x'.repeat(65_536));
    assert.equal(answer.status, 200);
  });

  it('telemetry far above the RPC limit is accepted', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const body = JSON.stringify({ x: 'y'.repeat(200_000) });
    assert.equal((await harness.call('POST', `/api/v1/${TOKEN}/telemetry`, body)).status, 200);
  });

  it('only Content-Length is checked: 413 before the body, none for chunks', async () => {
    await using harness = await openHttpHarness();
    await withDevice(harness.core);
    const socket = connect(harness.port, '127.0.0.1');
    socket.write(`POST /api/v1/${TOKEN}/telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: 52428801\r\n\r\n`);
    let received = '';
    for await (const chunk of socket) received += String(chunk);
    assert.match(received, /^HTTP\/1\.1 413 [\s\S]*"Payload size exceeds the limit of 52428800 bytes"$/);
    const headers = { 'Transfer-Encoding': 'chunked' };
    const chunked = await harness.call('POST', `/api/v1/${TOKEN}/rpc/1`, 'x'.repeat(70_000), { headers });
    assert.equal(chunked.status, 200);
  });
});
