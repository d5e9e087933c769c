/**
 * The sandbox with an independent client: libcoap's coap-client.
 * Skipped if it is not installed (Debian: `apt-get install libcoap3-bin`). The same commands by hand:
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
      // Not in this directory.
    }
  }
  return undefined;
}

async function openHarness(knobs: Partial<Knobs> = {}) {
  const core = openCore({ provisioning: { key: 'pk1', secret: 'ps1' }, knobs });
  core.admin.createDevice({ name: 'gw-1', token: TOKEN });
  const server = await openCoapServer({ core, host: '127.0.0.1', port: 0 });
  return {
    core,
    /** Returns the output of coap-client: the payload (stdout) or the error code (stderr). */
    async runClient(path: string, ...args: string[]): Promise<string> {
      const uri = `coap://127.0.0.1:${server.port}/api/v1/${path}`;
      const { stdout, stderr } = await run(client ?? '', [...args, uri], { timeout: 15_000 });
      return (stdout + stderr).trim();
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      core.close();
    },
  };
}

describe('coap-client of libcoap', { concurrency: true, skip }, () => {
  test('coap-client provisions once and gets FAILURE the second time', async () => {
    await using harness = await openHarness();
    const body = '{"deviceName":"gw-2","provisionDeviceKey":"pk1","provisionDeviceSecret":"ps1"}';
    const provision = () => harness.runClient('provision', '-m', 'post', '-t', 'json', '-e', body);
    const { credentialsValue, status } = JSON.parse(await provision());
    assert.equal(status, 'SUCCESS');
    assert.equal(harness.core.admin.devices().length, 2);
    const post = await harness.runClient(`${credentialsValue}/telemetry`, '-m', 'post', '-e', '{"cpu":1}');
    assert.equal(post, '');
    assert.match(
      await provision(),
      /^4\.00 \{"errorMsg":"Failed to provision device!","status":"FAILURE"\}$/,
    );
  });

  test('coap-client posts telemetry as CON, NON and in blocks', async () => {
    await using harness = await openHarness();
    const post = (...args: string[]) =>
      harness.runClient(`${TOKEN}/telemetry`, '-m', 'post', '-t', 'json', ...args);
    const directory = await mkdtemp(join(tmpdir(), 'foreign-client-'));
    const file = join(directory, 'body.json');
    await writeFile(file, JSON.stringify({ text: 'x'.repeat(3000) }));
    await post('-e', '{"ts":1700000000000,"values":{"cpu":12.5}}');
    await post('-N', '-e', '{"memory":3}');
    await post('-b', '256', '-f', file);
    await rm(directory, { recursive: true });
    const stored = harness.core.admin.points().map(({ key, value }) => [key, value]);
    assert.deepEqual(stored, [
      ['cpu', 12.5],
      ['memory', 3],
      ['text', 'x'.repeat(3000)],
    ]);
    assert.deepEqual(harness.core.admin.duplicateDatagrams(), []);
  });

  test('coap-client reads attributes and shows error codes', async () => {
    await using harness = await openHarness();
    harness.core.admin.setSharedAttributes('gw-1', '{"n":1}');
    assert.equal(
      await harness.runClient(`${TOKEN}/attributes?sharedKeys=n`, '-m', 'get'),
      '{"shared":{"n":1}}',
    );
    assert.equal(await harness.runClient('nobody/attributes', '-m', 'get'), '4.01');
  });

  test('coap-client reads a large attribute in piggybacked blocks', async () => {
    // libcoap 4.3.1 drops a large response that is a CON without an ACK ("large body receive internal
    // issue"), which is kind A of the real server.
    await using harness = await openHarness({ kindA: 'piggyback' });
    const text = 'x'.repeat(3000);
    harness.core.admin.setSharedAttributes('gw-1', JSON.stringify({ text }));
    const read = await harness.runClient(`${TOKEN}/attributes?sharedKeys=text`, '-m', 'get');
    // coap-client prints a newline between blocks.
    assert.equal(read.replaceAll('\n', ''), JSON.stringify({ shared: { text } }));
  });

  test('coap-client observes attributes and cancels', async () => {
    await using harness = await openHarness();
    const observed = harness.runClient(`${TOKEN}/attributes`, '-m', 'get', '-s', '2');
    for (const n of [1, 2, 3]) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      harness.core.admin.setSharedAttributes('gw-1', `{"n":${n}}`);
    }
    assert.match(await observed, /\{"n":1\}\s*\{"n":2\}\s*\{"n":3\}/);
  });
});
