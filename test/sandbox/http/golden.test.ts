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
  it('answers 200 with the credentials, and text/plain unless JSON is asked for', async () => {
    await using bench = await openHttpHarness({ generateToken: () => TOKEN });
    const answer = await bench.call('POST', '/api/v1/provision', provisionBody({ deviceName: 'gw-0001' }));
    const body = `{"credentialsValue":"${TOKEN}","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}`;
    assert.deepEqual(answer, { status: 200, body, contentType: TEXT });
    const json = await bench.call('POST', '/api/v1/provision', provisionBody({ deviceName: 'gw-0001' }), {
      headers: { Accept: 'application/json' },
    });
    assert.equal(json.contentType, JSON_TYPE);
  });

  it('answers 200 with NOT_FOUND for a wrong secret and FAILURE the second time', async () => {
    await using bench = await openHttpHarness();
    const wrong = await bench.call(
      'POST',
      '/api/v1/provision',
      provisionBody({ provisionDeviceSecret: 'x' }),
    );
    assert.equal(wrong.status, 200);
    assert.equal(wrong.body, '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}');
    await bench.call('POST', '/api/v1/provision', provisionBody({ deviceName: 'gw' }));
    const again = await bench.call('POST', '/api/v1/provision', provisionBody({ deviceName: 'gw' }));
    assert.equal(again.status, 200);
    assert.equal(again.body, '{"errorMsg":"Failed to provision device!","status":"FAILURE"}');
  });

  it('answers 500 with the error object for malformed JSON', async () => {
    await using bench = await openHttpHarness({ clock: new ManualClock(1_700_000_000_000) });
    const { status, body, contentType } = await bench.call('POST', '/api/v1/provision', '{');
    assert.equal(status, 500);
    assert.equal(contentType, JSON_TYPE);
    assert.deepEqual(JSON.parse(body), {
      status: 500,
      message: 'End of input at line 1 column 2',
      errorCode: 2,
      timestamp: 1_700_000_000_000,
    });
  });

  it('answers an empty 500 when the core is silent', async () => {
    await using bench = await openHttpHarness({ coreTimeoutMs: 5, knobs: { strategy: 'chain' } });
    const answer = await bench.call('POST', '/api/v1/provision', provisionBody());
    assert.deepEqual(answer, { status: 500, ...EMPTY });
  });
});

describe('telemetry over HTTP', () => {
  it('answers an empty 200 and stores what came', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const answer = await bench.call('POST', `/api/v1/${TOKEN}/telemetry`, '{"cpu":1}');
    assert.deepEqual(answer, { status: 200, ...EMPTY });
    const [point] = bench.core.admin.points();
    assert.deepEqual([point?.key, point?.value, point?.via], ['cpu', 1, 'http']);
  });

  it('answers an empty 401 for a bad token, whatever the body', async () => {
    await using bench = await openHttpHarness();
    assert.deepEqual(await bench.call('POST', '/api/v1/nobody/telemetry', '{"a":1}'), {
      status: 401,
      ...EMPTY,
    });
    assert.equal((await bench.call('POST', '/api/v1/nobody/telemetry', '{')).status, 401);
  });

  it('answers 500 with the parser text for malformed JSON, not 400', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const answer = await bench.call('POST', `/api/v1/${TOKEN}/telemetry`, '{');
    assert.deepEqual(answer, { status: 500, body: 'End of input at line 1 column 2', contentType: TEXT });
  });

  it('answers an empty 500 for a bad ts and under the rate limit', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const path = `/api/v1/${TOKEN}/telemetry`;
    assert.deepEqual(await bench.call('POST', path, '{"ts":"x","values":{}}'), { status: 500, ...EMPTY });
    bench.core.admin.updateKnobs({ rateLimited: true });
    assert.deepEqual(await bench.call('POST', path, '{"a":1}'), { status: 500, ...EMPTY });
  });

  it('answers an empty array only at the asynchronous time-out, with 503', async () => {
    await using bench = await openHttpHarness({ asyncTimeoutMs: 5 });
    await withDevice(bench.core);
    const { status, body } = await bench.call('POST', `/api/v1/${TOKEN}/telemetry`, '[]');
    assert.equal(status, 503);
    assert.equal(JSON.parse(body).errorCode, 2);
  });

  it('answers an empty 500 when the core does not answer the token check', async () => {
    await using bench = await openHttpHarness({
      coreTimeoutMs: 5,
      knobs: { coreLatencyMinMs: 20, coreLatencyMaxMs: 20 },
    });
    assert.deepEqual(await bench.call('POST', '/api/v1/any/telemetry', '{}'), { status: 500, ...EMPTY });
  });

  it('does not look at the transport type of the profile', async () => {
    await using bench = await openHttpHarness({ knobs: { transportType: 'MQTT' } });
    await withDevice(bench.core);
    assert.equal((await bench.call('POST', `/api/v1/${TOKEN}/telemetry`, '{"a":1}')).status, 200);
  });

  it('fails with 500 when the body is sent as a form, as curl does by default', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const answer = await bench.call('POST', `/api/v1/${TOKEN}/telemetry`, '{"a":1}', { headers });
    assert.equal(answer.status, 500);
    assert.deepEqual(bench.core.admin.points(), []);
  });

  it('takes a body in chunks, with UTF-8 split between them', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const socket = connect(bench.port, '127.0.0.1');
    const body = Buffer.from('{"k":"ä"}');
    const head = `POST /api/v1/${TOKEN}/telemetry HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = (part: Buffer): Buffer =>
      Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
    socket.write(Buffer.concat([Buffer.from(head), chunk(body.subarray(0, 7))]));
    socket.end(Buffer.concat([chunk(body.subarray(7)), Buffer.from('0\r\n\r\n')]));
    for await (const _ of socket);
    assert.equal(bench.core.admin.points()[0]?.value, 'ä');
  });
});

describe('attributes over HTTP', () => {
  it('answers {} as JSON when nothing is found', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const answer = await bench.call('GET', `/api/v1/${TOKEN}/attributes`);
    assert.deepEqual(answer, { status: 200, body: '{}', contentType: JSON_TYPE });
  });

  it('publishes with an empty 200 and reads back by key', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const path = `/api/v1/${TOKEN}/attributes`;
    assert.deepEqual(await bench.call('POST', path, '{"a":1,"b":2,"c":3}'), { status: 200, ...EMPTY });
    bench.core.admin.setSharedAttributes('gw-0001', '{"s":"x"}');
    assert.equal((await bench.call('GET', path)).body, '{"client":{"a":1,"b":2,"c":3},"shared":{"s":"x"}}');
    assert.equal((await bench.call('GET', `${path}?clientKeys=a,c`)).body, '{"client":{"a":1,"c":3}}');
    assert.equal((await bench.call('GET', `${path}?clientKeys=&sharedKeys=s`)).body, '{"shared":{"s":"x"}}');
    assert.equal((await bench.call('GET', `${path}?clientKeys=a&sharedKeys=zz`)).body, '{"client":{"a":1}}');
  });

  it('answers 500 with a text when published attributes are no object', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const { status, contentType } = await bench.call('POST', `/api/v1/${TOKEN}/attributes`, '[]');
    assert.deepEqual([status, contentType], [500, TEXT]);
  });

  it('leaves a rate-limited read unanswered until the asynchronous time-out', async () => {
    await using bench = await openHttpHarness({ asyncTimeoutMs: 5, knobs: { rateLimited: true } });
    await withDevice(bench.core);
    assert.equal((await bench.call('GET', `/api/v1/${TOKEN}/attributes`)).status, 503);
  });
});

describe('RPC replies, client RPC and claims over HTTP', () => {
  it('takes any text as a reply, and 400 for an id that is no integer', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const reply = await bench.call('POST', `/api/v1/${TOKEN}/rpc/1`, 'no JSON at all');
    assert.deepEqual(reply, { status: 200, ...EMPTY });
    const { status, body } = await bench.call('POST', `/api/v1/${TOKEN}/rpc/one`, '{}');
    assert.equal(status, 400);
    assert.equal(JSON.parse(body).errorCode, 31);
  });

  it('answers a client RPC never, or 500 when it is incomplete', async () => {
    await using bench = await openHttpHarness({ asyncTimeoutMs: 5 });
    await withDevice(bench.core);
    const path = `/api/v1/${TOKEN}/rpc`;
    assert.equal((await bench.call('POST', path, '{"method":"m","params":{}}')).status, 503);
    assert.deepEqual(await bench.call('POST', path, '{"method":"m"}'), { status: 500, ...EMPTY });
  });

  it('takes a claim with and without a body, and 500 for one that is no object', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const path = `/api/v1/${TOKEN}/claim`;
    assert.deepEqual(await bench.call('POST', path, '{"secretKey":"s"}'), { status: 200, ...EMPTY });
    assert.deepEqual(await bench.call('POST', path), { status: 200, ...EMPTY });
    assert.equal((await bench.call('POST', path, '[]')).status, 500);
  });
});

describe('requests the API does not know', () => {
  const refused: readonly (readonly [
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
  ];
  for (const [method, path, body, status, code] of refused) {
    it(`answers ${method} ${path}${body === undefined ? ' without body' : ''} with ${status}`, async () => {
      await using bench = await openHttpHarness();
      await withDevice(bench.core);
      const answer = await bench.call(method, path, body);
      assert.equal(answer.status, status);
      const error: unknown = JSON.parse(answer.body);
      assert.ok(typeof error === 'object' && error !== null && 'errorCode' in error && 'status' in error);
      assert.deepEqual([error.status, error.errorCode], [status, code]);
    });
  }

  it('answers an empty 404 for a package, of which there are none', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const answer = await bench.call('GET', `/api/v1/${TOKEN}/firmware?title=x&version=1`);
    assert.deepEqual(answer, { status: 404, ...EMPTY });
  });
});

describe('size limits over HTTP', () => {
  it('answers 413 with a JSON string for an RPC reply over 65536 bytes', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const body = JSON.stringify({ x: 'y'.repeat(69_992) });
    assert.equal(body.length, 70_000);
    assert.deepEqual(await bench.call('POST', `/api/v1/${TOKEN}/rpc/1`, body), {
      status: 413,
      body: '"Payload size exceeds the limit of 65536 bytes"',
      contentType: JSON_TYPE,
    });
  });

  it('reads a refused body to its end before it answers, so that no reset connection loses the refusal', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const socket = connect(bench.port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += String(chunk);
    });
    const head = `POST /api/v1/${TOKEN}/rpc/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 70000\r\n\r\n`;
    socket.write(head + 'x'.repeat(35_000));
    // A whole exchange later an early answer would be here.
    await bench.call('GET', `/api/v1/${TOKEN}/attributes`);
    assert.equal(received, '');
    socket.end('x'.repeat(35_000));
    await once(socket, 'close');
    assert.match(received, /^HTTP\/1\.1 413 /);
  });

  it('takes an RPC reply of exactly the limit', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const answer = await bench.call('POST', `/api/v1/${TOKEN}/rpc/1`, 'x'.repeat(65_536));
    assert.equal(answer.status, 200);
  });

  it('takes telemetry far above the RPC limit', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const body = JSON.stringify({ x: 'y'.repeat(200_000) });
    assert.equal((await bench.call('POST', `/api/v1/${TOKEN}/telemetry`, body)).status, 200);
  });

  it('judges by the announced length alone: 413 before the body comes, none for chunks', async () => {
    await using bench = await openHttpHarness();
    await withDevice(bench.core);
    const socket = connect(bench.port, '127.0.0.1');
    socket.write(`POST /api/v1/${TOKEN}/telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: 52428801\r\n\r\n`);
    let received = '';
    for await (const chunk of socket) received += String(chunk);
    assert.match(received, /^HTTP\/1\.1 413 [\s\S]*"Payload size exceeds the limit of 52428800 bytes"$/);
    const headers = { 'Transfer-Encoding': 'chunked' };
    const chunked = await bench.call('POST', `/api/v1/${TOKEN}/rpc/1`, 'x'.repeat(70_000), { headers });
    assert.equal(chunked.status, 200);
  });
});
