/**
 * The HTTP transport with nginx terminating TLS in front of the sandbox, and with tinyproxy as a forward
 * proxy. Skipped if they are not installed (Debian: `apt-get install nginx-light tinyproxy openssl`).
 */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { Authority } from '../../doubles/certificates.ts';
import { freeTcpPort } from '../../free-port.ts';
import {
  missing,
  neverAborted,
  noNginx,
  Program,
  post as postTo,
  sandboxWithDevice,
  transportTo,
  writeNginxConfig,
} from './helpers/foreign-programs.ts';

const timeout = 30_000;
const noTinyproxy = noNginx || missing('tinyproxy');
const post = async (transport: Parameters<typeof postTo>[0]) => (await postTo(transport)).reason;

describe('behind nginx', { skip: noNginx }, () => {
  it('a gateway behind nginx provisions and posts through restarts and outages', {
    timeout,
  }, async () => {
    using authority = new Authority();
    await using sandbox = await sandboxWithDevice();
    await using nginx = new Program();
    const port = await freeTcpPort();
    const commandLine = writeNginxConfig(nginx, { port, behind: sandbox.httpPort, pem: authority.issue() });
    await nginx.start(commandLine, port);
    await using transport = transportTo({ port, ca: authority.pem.cert });
    const request = {
      deviceName: 'gw-2',
      key: 'pk1',
      secret: new Secret('ps1'),
      token: new Secret('t'.repeat(20)),
    };
    assert.equal((await transport.provision(request, async () => {}, neverAborted)).ok, true);
    assert.equal(await post(transport), 'ok');
    assert.deepEqual(await transport.probe(new Secret('foreign'), neverAborted), { ok: true, value: false });
    await nginx.stop();
    assert.equal(await post(transport), 'port-closed');
    await nginx.start(commandLine, port);
    assert.equal(await post(transport), 'ok');
    sandbox.setKnobs({ silent: true });
    assert.equal(await post(transport), 'upstream-unavailable', '504');
    sandbox.setKnobs({ silent: false });
    assert.equal(await post(transport), 'ok');
    await sandbox[Symbol.asyncDispose]();
    assert.equal(await post(transport), 'upstream-unavailable', '502');
  });

  it('responses of nginx itself are classified', { timeout }, async () => {
    using authority = new Authority();
    await using sandbox = await sandboxWithDevice();
    const pem = authority.issue();
    for (const [more, reason] of [
      ['return 429;', 'server-overloaded'],
      ['return 503;', 'upstream-unavailable'],
      ['return 444;', 'connection-reset'],
      ['return 404;', 'unexpected-response'],
      ['return 204;', 'unexpected-response'],
      ['auth_basic "log in"; auth_basic_user_file /dev/null;', 'request-blocked'],
      ['deny all;', 'request-blocked'],
      ['return 401;', 'request-blocked'],
      [`default_type application/json; return 401 '{"message":"Unauthorized"}';`, 'request-blocked'],
      [`default_type text/plain; return 403 "error code: 1010";`, 'request-blocked'],
      [`default_type text/plain; return 500 "Internal Server Error";`, 'server-overloaded'],
      ['return 302 https://portal.example/;', 'captive-portal'],
      ['return 200 "<html>"; default_type text/html;', 'captive-portal'],
    ] as const) {
      await using nginx = new Program();
      const port = await freeTcpPort();
      await nginx.start(writeNginxConfig(nginx, { port, behind: sandbox.httpPort, pem, more }), port);
      await using transport = transportTo({ port, ca: authority.pem.cert });
      assert.equal(await post(transport), reason, more);
    }
    assert.equal(sandbox.points().length, 0);
  });

  it('a rejected token is believed through an nginx that changes the response', { timeout }, async () => {
    using authority = new Authority();
    await using sandbox = await sandboxWithDevice();
    const pem = authority.issue();
    for (const more of [
      'add_header Strict-Transport-Security max-age=63072000 always; add_header X-Frame-Options DENY always;',
      'gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;',
      'keepalive_timeout 7s 7s; server_tokens off; proxy_buffering off;',
      'chunked_transfer_encoding on; postpone_output 0; proxy_set_header Connection "";',
      'proxy_hide_header Content-Length; proxy_intercept_errors on; error_page 502 /502.html;',
    ]) {
      await using nginx = new Program();
      const port = await freeTcpPort();
      await nginx.start(writeNginxConfig(nginx, { port, behind: sandbox.httpPort, pem, more }), port);
      await using transport = transportTo({ port, ca: authority.pem.cert });
      const unknown = new Secret('foreign');
      const body = '[{"ts":1,"values":{"a":1}}]';
      const rejected = await transport.postTelemetry(unknown, body, neverAborted);
      assert.equal(rejected.ok || rejected.failure.reason, 'unauthorized', more);
      assert.deepEqual(await transport.probe(unknown, neverAborted), { ok: true, value: false }, more);
      assert.equal(await post(transport), 'ok', more);
    }
  });

  it('a 401 of nginx in front of a sound ThingsBoard is not its verdict on the token', {
    timeout,
  }, async () => {
    using authority = new Authority();
    await using sandbox = await sandboxWithDevice();
    const pem = authority.issue();
    for (const more of [
      'return 401 "";',
      // Only these paths are protected: ThingsBoard itself answers the others.
      'location ~ telemetry$ { return 401 ""; }',
      `location ~ telemetry$ { return 401 '{"message":"Unauthorized"}'; }`,
    ]) {
      await using nginx = new Program();
      const port = await freeTcpPort();
      await nginx.start(writeNginxConfig(nginx, { port, behind: sandbox.httpPort, pem, more }), port);
      await using transport = transportTo({ port, ca: authority.pem.cert });
      assert.equal(await post(transport), 'request-blocked', more);
    }
    assert.equal(sandbox.points().length, 0);
  });

  it('nothing is posted to a server with a certificate of another issuer', { timeout }, async () => {
    using authority = new Authority();
    using theirs = new Authority('Somebody Else');
    await using sandbox = await sandboxWithDevice();
    await using nginx = new Program();
    const port = await freeTcpPort();
    await nginx.start(writeNginxConfig(nginx, { port, behind: sandbox.httpPort, pem: theirs.issue() }), port);
    await using transport = transportTo({ port, ca: authority.pem.cert });
    assert.equal(await post(transport), 'certificate-untrusted');
    assert.equal(sandbox.points().length, 0);
  });
});

describe('through tinyproxy', { skip: noTinyproxy }, () => {
  it('https uses a tunnel through tinyproxy, and a denial is proxy-denied', { timeout }, async () => {
    using authority = new Authority();
    await using sandbox = await sandboxWithDevice();
    await using nginx = new Program();
    const port = await freeTcpPort();
    await nginx.start(
      writeNginxConfig(nginx, { port, behind: sandbox.httpPort, pem: authority.issue() }),
      port,
    );
    await using tinyproxy = new Program();
    const proxyPort = await freeTcpPort();
    const file = join(tinyproxy.directory, 'tinyproxy.conf');
    writeFileSync(
      file,
      `Port ${proxyPort}\nListen 127.0.0.1\nTimeout 60\nMaxClients 10\nBasicAuth ours secret\n`,
    );
    await tinyproxy.start(['tinyproxy', '-d', '-c', file], proxyPort);
    const proxy = { url: `http://127.0.0.1:${proxyPort}`, host: '127.0.0.1', port: proxyPort };
    const authorization = new Secret(`Basic ${Buffer.from('ours:secret').toString('base64')}`);
    await using transport = transportTo({ port, ca: authority.pem.cert, proxy: { ...proxy, authorization } });
    assert.equal(await post(transport), 'ok');
    await using stranger = transportTo({ port, ca: authority.pem.cert, proxy });
    assert.equal(await post(stranger), 'proxy-denied');
    await tinyproxy.stop();
    await using late = transportTo({ port, ca: authority.pem.cert, proxy: { ...proxy, authorization } });
    assert.equal(await post(late), 'proxy-unreachable');
  });
});
