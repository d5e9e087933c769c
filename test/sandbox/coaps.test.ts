/** The coaps port of the sandbox, seen by the DTLS helper: tokens and client certificates. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { parse } from 'coap-packet';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { Authority } from '../doubles/certificates.ts';
import { frame, frontProblem, HelperProcess } from '../transport/dtls/helper/peers/helper-process.ts';
import { request } from './helpers/coap-peer.ts';

describe('the coaps port of the sandbox', { skip: frontProblem }, () => {
  const provisioning = { key: 'key', secret: 'secret' };
  const knobs = { kindA: 'piggyback', coreLatencyMinMs: 0, coreLatencyMaxMs: 0 } as const;
  let sandbox: Sandbox;
  let authority: Authority;
  let messageId = 0;

  before(async () => {
    authority = new Authority();
    sandbox = await openSandbox({ provisioning, knobs, coaps: {} });
    sandbox.core.admin.createDevice({ name: 'gw-token', token: 'tok' });
    sandbox.core.admin.createDevice({ name: 'gw-certificate', token: 'old' });
  });

  after(async () => {
    await sandbox[Symbol.asyncDispose]();
    authority[Symbol.dispose]();
  });

  const start = (client?: { readonly cert: string; readonly key: string }): HelperProcess => {
    const helper = new HelperProcess();
    helper.write(frame('A', readFileSync(sandbox.coaps?.certFile ?? '')));
    if (client) helper.write(Buffer.concat([frame('C', client.cert), frame('K', client.key)]));
    return helper;
  };
  const port = (): number => sandbox.coaps?.port ?? 0;

  async function post(helper: HelperProcess, path: string): Promise<string> {
    messageId += 1;
    helper.send(request('POST', { messageId, path, payload: `{"n":${messageId}}` }));
    return parse((await helper.next('D')).payload).code;
  }

  it('a device without a certificate posts with its token', async () => {
    await using helper = start();
    assert.equal(await helper.open({ port: port() }), 'full');
    assert.equal(await post(helper, '/api/v1/tok/telemetry'), '2.01');
    assert.equal(await post(helper, '/api/v1/telemetry'), '4.01');
    assert.equal(sandbox.points({ device: 'gw-token' }).length, 1);
  });

  it('a device posts with its certificate, which only a full handshake tells', async () => {
    const client = authority.issue({ names: 'DNS:gw-certificate' });
    await using helper = start(client);
    assert.equal(await helper.open({ port: port() }), 'full');
    assert.equal(await post(helper, '/api/v1/telemetry'), '4.01', 'a stranger so far');
    assert.ok(sandbox.core.admin.setCertificate('gw-certificate', client.cert).ok);
    assert.equal(await post(helper, '/api/v1/telemetry'), '2.01');
    assert.equal(await post(helper, '/api/v1/any/telemetry'), '2.01');
    assert.equal(sandbox.points({ device: 'gw-certificate' }).length, 2);

    assert.equal(await helper.open({ port: port() }), 'resumed');
    assert.equal(await post(helper, '/api/v1/telemetry'), '4.01');
    assert.equal(await helper.open({ port: port(), isFull: true }), 'full');
    assert.equal(await post(helper, '/api/v1/telemetry'), '2.01');
  });

  it('a port in use is refused, and the certificate is removed at the end', async () => {
    await assert.rejects(openSandbox({ provisioning, coaps: { port: port() } }), /Address already in use/);
    const other = await openSandbox({ provisioning, coaps: {} });
    const certFile = other.coaps?.certFile ?? '';
    assert.ok(existsSync(certFile));
    await other[Symbol.asyncDispose]();
    assert.ok(!existsSync(certFile));
  });
});
