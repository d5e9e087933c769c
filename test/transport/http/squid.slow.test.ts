/**
 * squid as a forward proxy: tunnels for https, whole URLs for http, its error pages, its login and its stop.
 * Skipped if it is not installed (Debian: `apt-get install squid openssl`).
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { Authority, opensslProblem } from '../../doubles/certificates.ts';
import { openTlsFront } from '../../doubles/tls-front.ts';
import { freeTcpPort } from '../../free-port.ts';
import {
  missing,
  openUpstream,
  Program,
  post,
  sandboxWithDevice,
  transportTo,
} from './helpers/foreign-programs.ts';

const timeout = 60_000;
const LOGINS = '/usr/lib/squid/basic_ncsa_auth';
const noSquid =
  opensslProblem ||
  missing('squid') ||
  (existsSync(LOGINS) ? false : `squid has no ${LOGINS} to check logins with`);
const PASSWORD = 'proxy-password-unseen';

/** `rules`: access rules, after those of the login if `login` is true. */
async function openSquid({ rules = 'http_access allow all', login = false } = {}) {
  const squid = new Program();
  const port = await freeTcpPort();
  const { directory } = squid;
  const users = join(directory, 'users');
  const hash = execFileSync('openssl', ['passwd', '-apr1', PASSWORD], { encoding: 'utf8' }).trim();
  writeFileSync(users, `ours:${hash}\n`);
  const file = join(directory, 'squid.conf');
  const auth = `auth_param basic program ${LOGINS} ${users}\nauth_param basic children 1\nacl known proxy_auth REQUIRED\nhttp_access deny !known\n`;
  // Without a disk cache, and with its own files only.
  writeFileSync(
    file,
    `http_port 127.0.0.1:${port}\npid_filename ${directory}/pid\ncache deny all\ncache_log ${directory}/cache.log\naccess_log none
     coredump_dir ${directory}\npinger_enable off\nshutdown_lifetime 0 seconds\nconnect_timeout 2 seconds\nvisible_hostname squid.example
     netdb_filename none\n${login ? auth : ''}${rules}\n`.replace(/^ +/gm, ''),
  );
  await squid.start(['squid', '-N', '-f', file], port);
  const proxy = { url: `http://127.0.0.1:${port}`, host: '127.0.0.1', port };
  const named = (user: string, password: string) => ({
    ...proxy,
    authorization: new Secret(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`),
  });
  const close = async () => {
    // A normal stop takes two seconds.
    await squid.stop('SIGKILL');
    await squid[Symbol.asyncDispose]();
  };
  return { squid, proxy, named, [Symbol.asyncDispose]: close };
}

async function setup(options: Parameters<typeof openSquid>[0] = {}) {
  const authority = new Authority();
  const sandbox = await sandboxWithDevice();
  const front = await openTlsFront(sandbox.httpPort, authority.issue());
  const squid = await openSquid(options);
  const [ca, ports] = [authority.pem.cert, { https: front.port, http: sandbox.httpPort }];
  const transport = (scheme: 'http' | 'https', proxy = squid.proxy, port = ports[scheme]) =>
    transportTo({ scheme, port, ca, proxy });
  const close = async () => {
    for (const each of [squid, front, sandbox]) await each[Symbol.asyncDispose]();
    authority[Symbol.dispose]();
  };
  return { ...squid, authority, sandbox, front, transport, [Symbol.asyncDispose]: close };
}

describe('through squid', { skip: noSquid }, () => {
  for (const scheme of ['https', 'http'] as const) {
    it(`${scheme} posts pass through squid over reused connections`, {
      timeout,
    }, async () => {
      await using harness = await setup();
      await using transport = harness.transport(scheme);
      for (const kind of ['dated', 'dated', 'undated'] as const)
        assert.equal((await post(transport, kind)).reason, 'ok');
      assert.equal(harness.sandbox.points({ key: 'n' }).length, 3);
      if (scheme === 'https')
        assert.equal(harness.front.handshakes.all, 2, 'an undated reading uses a new connection');
    });

    it(`a request that squid denies over ${scheme} fails as proxy-denied`, { timeout }, async () => {
      await using harness = await setup({ rules: 'http_access deny all' });
      await using transport = harness.transport(scheme);
      const { reason, detail } = await post(transport);
      assert.equal(reason, 'proxy-denied');
      assert.match(
        detail,
        scheme === 'https' ? /responded 403 to CONNECT/ : /response 403 of squid\S* through http:\/\/127/,
      );
      assert.equal(harness.sandbox.points().length, 0);
    });

    it(`squid requires a login over ${scheme}`, { timeout }, async () => {
      await using harness = await setup({ login: true });
      for (const [proxy, expected] of [
        [harness.proxy, 'proxy-denied'],
        [harness.named('ours', 'wrong'), 'proxy-denied'],
        [harness.named('ours', PASSWORD), 'ok'],
      ] as const) {
        await using transport = harness.transport(scheme, proxy);
        const { reason, detail } = await post(transport);
        assert.equal(reason, expected);
        if (reason !== 'ok') assert.match(detail, /407/);
        assert.ok(!detail.includes(PASSWORD));
      }
    });

    it(`a server that squid cannot reach over ${scheme} is upstream-unavailable`, {
      timeout,
    }, async () => {
      await using harness = await setup();
      await using transport = harness.transport(scheme, harness.proxy, await freeTcpPort());
      const { reason, detail } = await post(transport);
      assert.equal(reason, 'upstream-unavailable');
      assert.match(
        detail,
        /http:\/\/127\.0\.0\.1:\d+ responded 503 to CONNECT|response 503 of squid\S* through http:/,
      );
    });

    it(`a request over ${scheme} is not sent twice when squid stops`, {
      timeout,
    }, async () => {
      await using harness = await setup();
      let stopped: Promise<void> | undefined;
      await using upstream = await openUpstream(() => {
        stopped ??= harness.squid.stop();
      });
      await using front = await openTlsFront(upstream.port, harness.authority.issue());
      await using transport = harness.transport(
        scheme,
        harness.proxy,
        scheme === 'https' ? front.port : upstream.port,
      );
      assert.equal((await post(transport, 'undated')).reason, 'connection-reset');
      await stopped;
      assert.equal(upstream.bodies.length, 1);
      assert.equal((await post(transport)).reason, 'proxy-unreachable');
    });
  }
});
