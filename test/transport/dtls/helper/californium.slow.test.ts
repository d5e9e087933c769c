/**
 * The DTLS helper against Eclipse Californium with the DTLS settings of ThingsBoard. Maven fetches it from Maven Central;
 * skipped without JDK, Maven or network.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it, type TestContext } from 'node:test';
import { generate, parse } from 'coap-packet';
import { Authority, opensslProblem } from '../../../doubles/certificates.ts';
import { CALIFORNIUM, fetchCalifornium, javaProblem } from './peers/californium.ts';
import { frame, HelperProcess, helperProblem } from './peers/helper-process.ts';

/** A longer one is dropped without a word. */
const MESSAGE_BYTES_MAX = 1024;

const skip = helperProblem || opensslProblem || javaProblem;

describe(`the DTLS helper and Californium ${CALIFORNIUM}`, { skip, timeout: 400_000 }, () => {
  let directory: string;
  let authority: Authority;
  let server: ChildProcess | undefined;
  let problem: string | undefined;
  let port = 0;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'firstlight-californium-'));
    authority = new Authority();
    const fetched = fetchCalifornium(directory);
    if (!fetched.ok) {
      ({ problem } = fetched);
      return;
    }
    const { cert, key } = authority.issue();
    const credentials = join(directory, 'server.pem');
    writeFileSync(credentials, cert + authority.pem.cert + key);
    const [java = '', ...words] = [...fetched.server, credentials];
    const child = spawn(java, words, { stdio: ['pipe', 'pipe', 'ignore'] });
    server = child;
    for await (const line of createInterface({ input: child.stdout })) {
      port = Number(/^listening (\d+)$/.exec(line)?.[1] ?? 0);
      if (port > 0) break;
    }
    assert.ok(port > 0, 'the server listens');
  });

  after(() => {
    server?.kill('SIGKILL');
    authority[Symbol.dispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  const start = (): HelperProcess => {
    const helper = new HelperProcess();
    helper.write(frame('A', authority.pem.cert));
    return helper;
  };
  let messageId = 0;

  async function request(
    helper: HelperProcess,
    code: 'GET' | 'POST',
    path: string,
    payload: Buffer | string,
  ) {
    messageId += 1;
    const options = [{ name: 'Uri-Path', value: Buffer.from(path) }] as const;
    const token = Buffer.from('7a', 'hex');
    const message = generate({
      ...{ code, confirmable: true, messageId, token, payload: Buffer.from(payload) },
      options: [...options],
    });
    helper.send(message);
    const reply = parse((await helper.next('D')).payload);
    return { bytes: message.length, code: reply.code, payload: reply.payload.toString() };
  }

  const peerTest = (title: string, run: (context: TestContext) => Promise<void>) =>
    it(title, async (context) => (problem === undefined ? run(context) : context.skip(problem)));

  peerTest('a full and a resumed handshake succeed, and posts are answered over both', async () => {
    await using helper = start();
    for (const expected of ['full', 'resumed', 'resumed']) {
      assert.equal(await helper.open({ port }), expected);
      for (let count = 0; count < 50; count += 1) {
        const reply = await request(helper, 'POST', 'echo', `text ${count}`);
        assert.deepEqual([reply.code, reply.payload], ['2.04', `text ${count}`]);
      }
    }
    assert.equal(await helper.open({ port, isFull: true }), 'full');
  });

  peerTest('a message of 1,024 bytes is answered', async () => {
    await using helper = start();
    await helper.open({ port });
    const overhead = (await request(helper, 'POST', 'echo', 'x')).bytes - 1;
    const payload = 'x'.repeat(MESSAGE_BYTES_MAX - overhead);
    const reply = await request(helper, 'POST', 'echo', payload);
    assert.equal(reply.bytes, MESSAGE_BYTES_MAX);
    assert.equal(reply.payload, payload);
  });

  peerTest('the client certificate reaches the server in a full handshake', async () => {
    const client = authority.issue({ names: 'DNS:gw-1', commonName: 'gw-1' });
    await using helper = start();
    helper.write(frame('C', client.cert));
    helper.write(frame('K', client.key));
    assert.equal(await helper.open({ port }), 'full');
    assert.match((await request(helper, 'GET', 'certificate', '')).payload, /gw-1/);
    await using anonymous = start();
    assert.equal(await anonymous.open({ port }), 'full');
    assert.equal((await request(anonymous, 'GET', 'certificate', '')).payload, 'none');
  });

  peerTest('a server of another name is refused', async () => {
    await using helper = start();
    assert.equal(await helper.open({ port, name: 'tb.example' }), 'HOSTNAME_MISMATCH');
    assert.equal(await helper.open({ port, name: '127.0.0.1' }), 'full');
  });

  peerTest('a server that is killed ends the link at the next datagram', async () => {
    await using helper = start();
    await helper.open({ port });
    server?.kill('SIGKILL');
    while (server?.exitCode === null && server.signalCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    helper.send('anybody?');
    assert.equal((await helper.next('X')).payload.toString(), 'ECONNREFUSED');
  });
});
