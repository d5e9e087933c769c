/** The DTLS helper against libcoap's servers, built with OpenSSL and with GnuTLS (Debian package libcoap3-bin). */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { generate, parse } from 'coap-packet';
import { Authority, opensslProblem, type Pem } from '../../../doubles/certificates.ts';
import { freeUdpPort } from '../../../free-port.ts';
import { frame, HelperProcess, helperProblem, programProblem } from './peers/helper-process.ts';

const REMEDY = 'apt install libcoap3-bin';

describe('the DTLS helper and libcoap', { skip: helperProblem || opensslProblem }, () => {
  let authority: Authority;
  let server: Pem;

  before(() => {
    authority = new Authority();
    server = authority.issue();
  });

  after(() => authority[Symbol.dispose]());

  async function startServer(program: string, port: number): Promise<ChildProcess> {
    const own = ['-c', server.certFile, '-j', server.keyFile, '-C', authority.pem.certFile, '-n'];
    // It listens on coaps one port above that of coap.
    const child = spawn(program, ['-A', '127.0.0.1', '-p', String(port - 1), ...own], { stdio: 'ignore' });
    await once(child, 'spawn');
    return child;
  }

  const start = (): HelperProcess => {
    const helper = new HelperProcess();
    helper.write(frame('A', authority.pem.cert));
    return helper;
  };

  /** Repeats the handshake until the server listens. */
  async function open(helper: HelperProcess, port: number): Promise<string> {
    for (;;) {
      const result = await helper.open({ port });
      if (result !== 'ECONNREFUSED') return result;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function discover(helper: HelperProcess, messageId: number): Promise<string> {
    const options = ['.well-known', 'core'].map(
      (word) => ({ name: 'Uri-Path', value: Buffer.from(word) }) as const,
    );
    helper.send(
      generate({ code: 'GET', confirmable: true, messageId, token: Buffer.from('7a', 'hex'), options }),
    );
    return parse((await helper.next('D')).payload).code;
  }

  // The build with OpenSSL resumes sessions, the one with GnuTLS does not.
  for (const [program, second] of [
    ['coap-server-openssl', 'resumed'],
    ['coap-server-gnutls', 'full'],
  ] as const) {
    it(`${program} answers over each new link, after it was killed, and says when it ends`, {
      skip: programProblem(program, REMEDY),
    }, async () => {
      const port = (await freeUdpPort()) + 1;
      let child = await startServer(program, port);
      try {
        await using helper = start();
        assert.equal(await open(helper, port), 'full');
        for (let messageId = 1; messageId < 10; messageId += 1)
          assert.equal(await discover(helper, messageId), '2.05');
        assert.equal(await helper.open({ port }), second);
        assert.equal(await discover(helper, 10), '2.05');
        assert.equal(await helper.open({ port, isFull: true }), 'full');
        assert.equal(await discover(helper, 11), '2.05');
        assert.equal(await helper.open({ port, name: 'tb.example', isFull: true }), 'HOSTNAME_MISMATCH');

        assert.equal(await helper.open({ port }), 'full');
        child.kill('SIGKILL');
        await once(child, 'close');
        helper.send('anybody?');
        assert.equal((await helper.next('X')).payload.toString(), 'ECONNREFUSED');
        child = await startServer(program, port);
        assert.equal(await open(helper, port), 'full');
        assert.equal(await discover(helper, 12), '2.05');

        child.kill('SIGTERM');
        assert.equal((await helper.next('X')).payload.toString(), 'CLOSE_NOTIFY');
      } finally {
        child.kill('SIGKILL');
      }
    });
  }
});
