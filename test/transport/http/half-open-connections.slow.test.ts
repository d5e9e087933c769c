/**
 * Connections that a real nginx closes between two posts or during one: restart, stop, idle timeout, renewed
 * certificate. A dated reading always arrives; an undated one arrives at most once.
 */

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { pinOf } from '../../../src/transport/tls/tls-failure.ts';
import { Authority, type Pem } from '../../doubles/certificates.ts';
import { freeTcpPort } from '../../free-port.ts';
import { until } from '../../until.ts';
import {
  ACCEPTED,
  clock,
  neverAborted,
  noNginx,
  openUpstream,
  Program,
  post,
  transportTo,
  writeNginxConfig,
} from './helpers/foreign-programs.ts';

const timeout = 60_000;
const accept = (socket: Socket) => void socket.write(ACCEPTED);

async function setup(more = '') {
  const authority = new Authority();
  const upstream = await openUpstream(accept);
  const nginx = new Program();
  const port = await freeTcpPort();
  const pem = authority.issue();
  const commandLine = writeNginxConfig(nginx, { port, behind: upstream.port, pem, more });
  const start = () => nginx.start(commandLine, port);
  await start();
  const transport = (pins: readonly string[] = []) => transportTo({ port, ca: authority.pem.cert, pins });
  const close = async () => {
    for (const each of [nginx, upstream]) await each[Symbol.asyncDispose]();
    authority[Symbol.dispose]();
  };
  return { authority, upstream, nginx, port, pem, transport, start, [Symbol.asyncDispose]: close };
}

const times = (bodies: readonly string[], body: string) => bodies.filter((each) => each === body).length;

describe('a connection through nginx', { skip: noNginx }, () => {
  for (const kind of ['dated', 'undated'] as const) {
    it(`a ${kind} reading is delivered after a restart of nginx`, { timeout }, async () => {
      await using harness = await setup();
      await using transport = harness.transport();
      for (let restarts = 0; restarts < 3; restarts += 1) {
        const { body, reason } = await post(transport, kind);
        assert.deepEqual([reason, times(harness.upstream.bodies, body)], ['ok', 1]);
        await harness.nginx.stop();
        await harness.start();
      }
    });

    it(`a ${kind} reading is delivered when nginx closes the idle connection`, {
      timeout,
    }, async () => {
      await using harness = await setup('keepalive_timeout 10ms;');
      await using transport = harness.transport();
      // Around the idle timeout, so that some posts are written before the close arrives and some after.
      for (let posts = 0; posts < 120; posts += 1) {
        const { body, reason } = await post(transport, kind);
        assert.equal(reason, 'ok');
        const arrived = times(harness.upstream.bodies, body);
        assert.ok(arrived === 1 || (kind === 'dated' && arrived === 2), `${arrived} times`);
        await clock.sleep(8 + (posts % 5), neverAborted);
      }
    });

    it(`a ${kind} reading is delivered over connections of one request each`, { timeout }, async () => {
      await using harness = await setup('keepalive_requests 1;');
      await using transport = harness.transport();
      for (let posts = 0; posts < 5; posts += 1) {
        const { body, reason } = await post(transport, kind);
        assert.deepEqual([reason, times(harness.upstream.bodies, body)], ['ok', 1]);
      }
    });

    it(`a ${kind} reading fails and is not sent twice when nginx is killed`, {
      timeout,
    }, async () => {
      await using harness = await setup();
      await using transport = harness.transport();
      harness.upstream.answer = () => {
        harness.upstream.answer = accept;
        for (const worker of harness.nginx.workers) process.kill(Number(worker), 'SIGKILL');
      };
      const { body, reason } = await post(transport, kind);
      assert.deepEqual([reason, times(harness.upstream.bodies, body)], ['connection-reset', 1]);
      // nginx has started another worker, or lets the connection wait for it.
      assert.equal((await post(transport, kind)).reason, 'ok');
    });
  }
});

describe('a certificate renewed while the agent runs', { skip: noNginx }, () => {
  /**
   * Reloads nginx with another certificate, like a renewal tool, and waits until the old worker has exited.
   */
  async function renew({ nginx, pem }: Awaited<ReturnType<typeof setup>>, renewed: Pem): Promise<void> {
    copyFileSync(renewed.certFile, pem.certFile);
    copyFileSync(renewed.keyFile, pem.keyFile);
    const old = nginx.workers;
    nginx.signal('SIGHUP');
    await until(() => {
      const { workers } = nginx;
      return workers.length > 0 && workers.every((worker) => !old.includes(worker));
    });
  }

  it('a renewed certificate loses no reading, dated or undated', { timeout }, async () => {
    await using harness = await setup();
    await using transport = harness.transport();
    for (const kind of ['dated', 'undated'] as const) {
      assert.equal((await post(transport, kind)).reason, 'ok');
      await renew(harness, harness.authority.issue());
      const { body, reason } = await post(transport, kind);
      assert.deepEqual([reason, times(harness.upstream.bodies, body)], ['ok', 1]);
    }
  });

  it('a renewed certificate with another key fails the pin until it is restored', {
    timeout,
  }, async () => {
    await using harness = await setup();
    const old = {
      ...harness.pem,
      certFile: `${harness.pem.certFile}.old`,
      keyFile: `${harness.pem.keyFile}.old`,
    };
    copyFileSync(harness.pem.certFile, old.certFile);
    copyFileSync(harness.pem.keyFile, old.keyFile);
    await using transport = harness.transport([pinOf(new X509Certificate(harness.pem.cert).raw)]);
    assert.equal((await post(transport)).reason, 'ok');
    await renew(harness, harness.authority.issue());
    assert.equal((await post(transport, 'undated')).reason, 'certificate-pin-mismatch');
    await renew(harness, old);
    assert.equal((await post(transport, 'undated')).reason, 'ok');
  });

  for (const [what, reason, made] of [
    [
      'that has expired',
      'certificate-date-invalid',
      (ours: Authority) => ours.issue({ from: '20200101000000Z', to: '20210101000000Z' }),
    ],
    [
      'for another name',
      'certificate-name-mismatch',
      (ours: Authority) => ours.issue({ names: 'DNS:other.example' }),
    ],
    ['of an unknown issuer', 'certificate-untrusted', () => new Authority('Somebody Else').issue()],
  ] as const) {
    it(`a renewal by a certificate ${what} is reported, and nothing is posted`, { timeout }, async () => {
      await using harness = await setup();
      await using transport = harness.transport();
      assert.equal((await post(transport)).reason, 'ok');
      await renew(harness, made(harness.authority));
      const { body, reason: actual } = await post(transport, 'undated');
      assert.deepEqual([actual, times(harness.upstream.bodies, body)], [reason, 0]);
      await renew(harness, harness.authority.issue());
      assert.equal((await post(transport, 'undated')).reason, 'ok');
    });
  }
});
