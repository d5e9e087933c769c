/**
 * libcoap's coap-client against the sandbox: a client nobody here wrote agrees with our reading of CoAP.
 *
 * Skipped where it is not installed (Debian: `apt-get install libcoap3-bin`). By hand, with the same meaning:
 *
 *   coap-client-notls -m post -t json -e '{"deviceName":…}' coap://127.0.0.1:5683/api/v1/provision
 *   coap-client-notls -m post -t json -e '{"cpu":12.5}' coap://127.0.0.1:5683/api/v1/TOKEN/telemetry
 *   coap-client-notls -m post -b 256 -f body.json coap://127.0.0.1:5683/api/v1/TOKEN/telemetry
 *   coap-client-notls -m get 'coap://127.0.0.1:5683/api/v1/TOKEN/attributes?sharedKeys=n'
 *   coap-client-notls -m get -s 10 coap://127.0.0.1:5683/api/v1/TOKEN/attributes
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { openCoapServer } from '../../../src/sandbox/coap/coap-server.ts';
import { openCore } from '../../../src/sandbox/core/core.ts';
import type { Knobs } from '../../../src/sandbox/core/model/types.ts';

const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';
const run = promisify(execFile);
const client = ['coap-client', 'coap-client-notls'].map(onPath).find((path) => path !== undefined);
const skip = client === undefined ? 'coap-client of libcoap is not on the PATH' : false;

function onPath(name: string): string | undefined {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return join(directory, name);
    } catch {
      // Not in this one.
    }
  }
  return undefined;
}

async function stage(knobs: Partial<Knobs> = {}) {
  const core = openCore({ provisioning: { key: 'pk1', secret: 'ps1' }, knobs });
  core.admin.createDevice({ name: 'gw-1', token: TOKEN });
  const door = await openCoapServer({ core, host: '127.0.0.1', port: 0 });
  return {
    core,
    /** What coap-client prints: the payload on stdout, the code of an error on stderr. */
    async ask(path: string, ...args: string[]): Promise<string> {
      const uri = `coap://127.0.0.1:${door.port}/api/v1/${path}`;
      const { stdout, stderr } = await run(client ?? '', [...args, uri], { timeout: 15_000 });
      return (stdout + stderr).trim();
    },
    [Symbol.asyncDispose]: async () => {
      await door[Symbol.asyncDispose]();
      core.close();
    },
  };
}

describe('coap-client of libcoap', { concurrency: true, skip }, () => {
  test('coap-client provisions once and gets FAILURE the second time', async () => {
    await using at = await stage();
    const body = '{"deviceName":"gw-2","provisionDeviceKey":"pk1","provisionDeviceSecret":"ps1"}';
    const provision = () => at.ask('provision', '-m', 'post', '-t', 'json', '-e', body);
    const { credentialsValue, status } = JSON.parse(await provision());
    assert.equal(status, 'SUCCESS');
    assert.equal(at.core.admin.devices().length, 2);
    const post = await at.ask(`${credentialsValue}/telemetry`, '-m', 'post', '-e', '{"cpu":1}');
    assert.equal(post, '');
    assert.match(
      await provision(),
      /^4\.00 \{"errorMsg":"Failed to provision device!","status":"FAILURE"\}$/,
    );
  });

  test('coap-client posts telemetry as CON, NON and in blocks', async () => {
    await using at = await stage();
    const post = (...args: string[]) => at.ask(`${TOKEN}/telemetry`, '-m', 'post', '-t', 'json', ...args);
    const directory = await mkdtemp(join(tmpdir(), 'foreign-client-'));
    const file = join(directory, 'body.json');
    await writeFile(file, JSON.stringify({ text: 'x'.repeat(3000) }));
    await post('-e', '{"ts":1700000000000,"values":{"cpu":12.5}}');
    await post('-N', '-e', '{"memory":3}');
    await post('-b', '256', '-f', file);
    await rm(directory, { recursive: true });
    const stored = at.core.admin.points().map(({ key, value }) => [key, value]);
    assert.deepEqual(stored, [
      ['cpu', 12.5],
      ['memory', 3],
      ['text', 'x'.repeat(3000)],
    ]);
    assert.deepEqual(at.core.admin.duplicateDatagrams(), []);
  });

  test('coap-client reads attributes and shows error codes', async () => {
    await using at = await stage();
    at.core.admin.setSharedAttributes('gw-1', '{"n":1}');
    assert.equal(await at.ask(`${TOKEN}/attributes?sharedKeys=n`, '-m', 'get'), '{"shared":{"n":1}}');
    assert.equal(await at.ask('nobody/attributes', '-m', 'get'), '4.01');
  });

  test('coap-client reads a large attribute in piggybacked blocks', async () => {
    // libcoap 4.3.1 drops a large answer that comes as a CON without an ACK ("large body receive internal
    // issue"):
    // one more client for which the real server's kind A is a trap.
    await using at = await stage({ kindA: 'piggyback' });
    const text = 'x'.repeat(3000);
    at.core.admin.setSharedAttributes('gw-1', JSON.stringify({ text }));
    const read = await at.ask(`${TOKEN}/attributes?sharedKeys=text`, '-m', 'get');
    // It prints a new line between blocks.
    assert.equal(read.replaceAll('\n', ''), JSON.stringify({ shared: { text } }));
  });

  test('coap-client observes attributes and cancels', async () => {
    await using at = await stage();
    const observed = at.ask(`${TOKEN}/attributes`, '-m', 'get', '-s', '2');
    for (const n of [1, 2, 3]) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      at.core.admin.setSharedAttributes('gw-1', `{"n":${n}}`);
    }
    assert.match(await observed, /\{"n":1\}\s*\{"n":2\}\s*\{"n":3\}/);
  });
});
