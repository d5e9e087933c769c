/**
 * Programs nobody here wrote: nginx, terminating TLS in front of the sandbox, and tinyproxy as a forward proxy.
 *
 * Skipped, with the reason, where they are not installed (Debian: `apt-get install nginx-light tinyproxy openssl`).
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ProxyAddress } from '../../../src/core/config.ts';
import { Secret } from '../../../src/core/secret.ts';
import { hostClock } from '../../../src/host/clock.ts';
import { openSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts';
import { HttpTransport } from '../../../src/transport/http/transport.ts';
import { Authority, noOpenssl, type Pem } from '../../doubles/certificates.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';

const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const never = new AbortController().signal;
const timeout = 30_000;
const missing = (program: string) => spawnSync(program, ['-v']).error !== undefined;
const noNginx = noOpenssl || (missing('nginx') ? 'nginx is not installed' : false);
const noTinyproxy = noOpenssl || (missing('tinyproxy') ? 'tinyproxy is not installed' : false);
const clock = hostClock();

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Waits, at most 10 s, until somebody listens at the port. */
async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    const isThere = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isThere) return;
    await clock.sleep(50, never);
  }
  throw new Error(`nobody listens at port ${port}`);
}

/** A program with a directory of its own, ended with the test. */
class Program implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'firstlight-foreign-'));
  #child: ChildProcess | undefined;

  async start(words: readonly [string, ...string[]], port: number): Promise<void> {
    const [program, ...rest] = words;
    this.#child = spawn(program, rest, { stdio: 'ignore' });
    await listening(port);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function nginxWords(nginx: Program, port: number, behind: number, pem: Pem): readonly [string, ...string[]] {
  const file = join(nginx.directory, 'nginx.conf');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${nginx.directory}/${name};`,
  );
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${nginx.directory}/pid; error_log ${nginx.directory}/error.log;
     events { worker_connections 64; }
     http { access_log off; ${paths.join(' ')} server { listen 127.0.0.1:${port} ssl;
       ssl_certificate ${pem.certFile}; ssl_certificate_key ${pem.keyFile};
       location / { proxy_pass http://127.0.0.1:${behind}; proxy_read_timeout 1s; proxy_http_version 1.1; } } }`,
  );
  return ['nginx', '-c', file, '-e', `${nginx.directory}/error.log`];
}

function roadTo(port: number, ca: string, proxy?: ProxyAddress): HttpTransport {
  return new HttpTransport(
    {
      scheme: 'https',
      host: 'localhost',
      port,
      tls: { pins: [], ca },
      userAgent: 'firstlight/test',
      ...(proxy && { proxy }),
    },
    { clock, log: new RecordingLogger(), patience: { usualMs: 5_000, singleMs: 5_000 } },
  );
}

async function sandboxWithDevice(): Promise<Sandbox> {
  const sandbox = await openSandbox({ provisioning: { key: 'pk1', secret: 'ps1' } });
  sandbox.core.admin.createDevice({ name: 'gw', token: TOKEN.reveal() });
  return sandbox;
}

let ts = 0;
async function post(road: HttpTransport): Promise<string> {
  ts += 1;
  const result = await road.postTelemetry(TOKEN, `[{"ts":${ts},"values":{"n":${ts}}}]`, never);
  return result.ok ? 'ok' : result.refusal.reason;
}

describe('behind nginx', { skip: noNginx }, () => {
  it('a gateway provisions and posts, through a restart, an outage and a silence of ThingsBoard', {
    timeout,
  }, async () => {
    using authority = new Authority();
    await using sandbox = await sandboxWithDevice();
    await using nginx = new Program();
    const port = await freePort();
    const words = nginxWords(nginx, port, sandbox.httpPort, authority.issue());
    await nginx.start(words, port);
    await using road = roadTo(port, authority.pem.cert);
    const request = {
      deviceName: 'gw-2',
      key: 'pk1',
      secret: new Secret('ps1'),
      token: new Secret('t'.repeat(20)),
    };
    assert.equal((await road.provision(request, async () => {}, never)).ok, true);
    assert.equal(await post(road), 'ok');
    assert.deepEqual(await road.probe(new Secret('foreign'), never), { ok: true, value: false });
    await nginx.stop();
    assert.equal(await post(road), 'port-closed');
    await nginx.start(words, port);
    assert.equal(await post(road), 'ok');
    sandbox.setKnobs({ silent: true });
    assert.equal(await post(road), 'upstream-away', '504');
    sandbox.setKnobs({ silent: false });
    assert.equal(await post(road), 'ok');
    await sandbox[Symbol.asyncDispose]();
    assert.equal(await post(road), 'upstream-away', '502');
  });

  it('a certificate of another issuer is refused, and nothing is posted', { timeout }, async () => {
    using authority = new Authority();
    using theirs = new Authority('Somebody Else');
    await using sandbox = await sandboxWithDevice();
    await using nginx = new Program();
    const port = await freePort();
    await nginx.start(nginxWords(nginx, port, sandbox.httpPort, theirs.issue()), port);
    await using road = roadTo(port, authority.pem.cert);
    assert.equal(await post(road), 'certificate-untrusted');
    assert.equal(sandbox.points().length, 0);
  });
});

describe('through tinyproxy', { skip: noTinyproxy || noNginx }, () => {
  it('https goes by a tunnel, and what the proxy refuses is told as such', { timeout }, async () => {
    using authority = new Authority();
    await using sandbox = await sandboxWithDevice();
    await using nginx = new Program();
    const port = await freePort();
    await nginx.start(nginxWords(nginx, port, sandbox.httpPort, authority.issue()), port);
    await using tinyproxy = new Program();
    const proxyPort = await freePort();
    const file = join(tinyproxy.directory, 'tinyproxy.conf');
    writeFileSync(
      file,
      `Port ${proxyPort}\nListen 127.0.0.1\nTimeout 60\nMaxClients 10\nBasicAuth ours secret\n`,
    );
    await tinyproxy.start(['tinyproxy', '-d', '-c', file], proxyPort);
    const proxy = { url: `http://127.0.0.1:${proxyPort}`, host: '127.0.0.1', port: proxyPort };
    const authorization = new Secret(`Basic ${Buffer.from('ours:secret').toString('base64')}`);
    await using road = roadTo(port, authority.pem.cert, { ...proxy, authorization });
    assert.equal(await post(road), 'ok');
    await using stranger = roadTo(port, authority.pem.cert, proxy);
    assert.equal(await post(stranger), 'proxy-refused');
    await tinyproxy.stop();
    await using late = roadTo(port, authority.pem.cert, { ...proxy, authorization });
    assert.equal(await post(late), 'proxy-away');
  });
});
