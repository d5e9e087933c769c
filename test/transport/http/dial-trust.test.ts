/**
 * Certificates with one fault each: the reason of each failure, and that nothing is sent to an untrusted
 * server.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { TlsOptions } from 'node:tls';
import type { TlsSettings } from '../../../src/core/model/config.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { HttpTransport } from '../../../src/transport/http/transport.ts';
import { pinOf } from '../../../src/transport/tls/tls-failure.ts';
import { Authority, opensslProblem } from '../../doubles/certificates.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { openTlsFront } from '../../doubles/tls-front.ts';

const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const neverAborted = new AbortController().signal;
const timeout = 20_000;

describe('a certificate', { skip: opensslProblem }, () => {
  let ours: Authority;
  let theirs: Authority;
  const plain = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { Date: new Date().toUTCString() }).end());
  });
  before(async () => {
    [ours, theirs] = [new Authority(), new Authority('Somebody Else')];
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
  });
  after(() => {
    plain.close();
    plain.closeAllConnections();
    for (const authority of [ours, theirs]) authority[Symbol.dispose]();
  });

  async function post(options: TlsOptions, more: Partial<TlsSettings> = {}, wallMs?: number) {
    await using front = await openTlsFront((plain.address() as AddressInfo).port, options);
    const host = hostClock();
    const clock = wallMs === undefined ? host : Object.assign(Object.create(host), { wallMs: () => wallMs });
    const tls = { pins: [], ca: ours.pem.cert, ...more };
    await using transport = new HttpTransport(
      { scheme: 'https', host: 'localhost', port: front.port, tls, userAgent: 'firstlight/test' },
      { clock, log: new RecordingLogger(), timeouts: { requestMs: 5_000, provisioningMs: 5_000 } },
    );
    const results = [];
    for (const ts of [1, 2])
      results.push(await transport.postTelemetry(TOKEN, `[{"ts":${ts},"values":{"a":1}}]`, neverAborted));
    const [result] = results;
    const received = front.received();
    if (!result?.ok) assert.doesNotMatch(received, /sLzc0|api|telemetry/, 'sent to an untrusted server');
    return {
      reason: result?.ok ? 'ok' : (result?.failure.reason ?? 'nothing'),
      detail: result?.ok ? '' : (result?.failure.detail ?? ''),
      handshakes: front.handshakes.all,
    };
  }

  it('a valid certificate is accepted and its connection reused', { timeout }, async () => {
    assert.deepEqual(await post(ours.issue()), { reason: 'ok', detail: '', handshakes: 1 });
  });

  it('an expired certificate is reported with its dates', { timeout }, async () => {
    const { reason, detail } = await post(ours.issue({ from: '20200101000000Z', to: '20210101000000Z' }));
    assert.equal(reason, 'certificate-date-invalid');
    assert.match(
      detail,
      /valid from 2020-01-01T00:00 to 2021-01-01T00:00, clock of this host .*, clock of the server/,
    );
  });

  it('a certificate that is not valid yet is reported as such', {
    timeout,
  }, async () => {
    // OpenSSL uses the clock of the host, not the injected one.
    const { reason } = await post(ours.issue({ from: '20400101000000Z', to: '20410101000000Z' }), {}, 0);
    assert.equal(reason, 'certificate-date-invalid');
  });

  it('a certificate for another name is reported with both names', { timeout }, async () => {
    const { reason, detail } = await post(ours.issue({ names: 'DNS:other.example' }));
    assert.equal(reason, 'certificate-name-mismatch');
    assert.match(detail, /DNS:other\.example, not localhost/);
  });

  it('a certificate of an unknown issuer is reported with its fingerprint', { timeout }, async () => {
    const { reason, detail } = await post(theirs.issue());
    assert.equal(reason, 'certificate-untrusted');
    assert.match(
      detail,
      /issued by "Somebody Else, Firstlight Tests", SHA-256 of the certificate ([0-9A-F]{2}:){31}/,
    );
  });

  it('a certificate with the pinned key is accepted, another key rejected', { timeout }, async () => {
    const pem = ours.issue();
    const { X509Certificate } = await import('node:crypto');
    const pin = pinOf(new X509Certificate(pem.cert).raw);
    assert.equal((await post(pem, { pins: [pin] })).reason, 'ok');
    const other = await post(ours.issue(), { pins: [pin] });
    assert.equal(other.reason, 'certificate-pin-mismatch');
  });

  it('a client certificate is sent if the server requests it', { timeout }, async () => {
    const server = { ...ours.issue(), requestCert: true, rejectUnauthorized: true, ca: ours.pem.cert };
    assert.equal((await post(server)).reason, 'client-certificate-rejected');
    const { cert, key } = ours.issue();
    assert.equal((await post(server, { client: { cert, key: new Secret(key) } })).reason, 'ok');
  });

  it('a server with TLS 1.1 only is reported as tls-version-mismatch', { timeout }, async () => {
    const old = {
      ...ours.issue(),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    } as const;
    assert.equal((await post(old)).reason, 'tls-version-mismatch');
  });
});

/**
 * Forwards bytes and emits how the client's TCP connection ended, which Node's TLS server does not report.
 */
async function openWire(to: number) {
  const wire = createTcpServer((near) => {
    const far = connectTcp(to, '127.0.0.1');
    const ended = new Promise<string>((resolve) => {
      near.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
      near.on('end', () => resolve('end'));
    });
    far.on('error', () => {});
    near.pipe(far).pipe(near, { end: false });
    void ended.then((how) => {
      far.destroy();
      wire.emit('ended', how);
    });
  }).listen(0, '127.0.0.1');
  await once(wire, 'listening');
  const close = async () => void wire.close();
  return {
    port: (wire.address() as AddressInfo).port,
    ended: once(wire, 'ended'),
    [Symbol.asyncDispose]: close,
  };
}

for (const scheme of ['http', 'https'] as const) {
  it(`aborting an undated reading over ${scheme} resets the connection`, {
    skip: scheme === 'https' && opensslProblem,
    timeout,
  }, async () => {
    using authority = scheme === 'https' ? new Authority() : undefined;
    const timeouts = new AbortController();
    const listener = (request: IncomingMessage) => {
      request.socket.on('error', () => {});
      request.on('end', () => timeouts.abort()).resume();
    };
    const server = authority ? createSecureServer(authority.issue(), listener) : createServer(listener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using wire = await openWire((server.address() as AddressInfo).port);
    const tls = { pins: [], ...(authority && { ca: authority.pem.cert }) };
    await using transport = new HttpTransport(
      { scheme, host: 'localhost', port: wire.port, tls, userAgent: 'firstlight/test' },
      { clock: hostClock(), log: new RecordingLogger() },
    );
    const result = await transport.postTelemetry(TOKEN, '[{"a":1}]', timeouts.signal);
    assert.equal(result.ok ? 'ok' : result.failure.reason, 'aborted');
    assert.deepEqual(await wire.ended, ['ECONNRESET']);
    server.close();
  });
}
