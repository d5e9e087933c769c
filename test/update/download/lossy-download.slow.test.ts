/**
 * A package over CoAP with a loss of 10 % in each direction and a restart of the agent half-way: no chunk is sent twice but the last,
 * and the memory stays flat.
 */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { hostRandom } from '../../../src/host/random.ts';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import { UpdateFollower } from '../../../src/update/download/update-follower.ts';
import { UpdateFiles } from '../../../src/update/download/update-record.ts';
import type { UpdateServer } from '../../../src/update/download/update-server.ts';
import { signUpdate } from '../../../src/update/sign-update.ts';
import { tempDir } from '../../app/agent-process.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { packageFile, testKey } from '../signed-updates.ts';

/** The whole megabyte takes six minutes (383 s on 2026-11-30), a quarter of it shows the same. */
const BYTES = Number(process.env['FIRSTLIGHT_TEST_DOWNLOAD_BYTES'] ?? 250_000);
const LOSS = 0.1;
const TOKEN = 'the-token';
const DEVICE = 'gw-1';
const RSS_GROWTH_BYTES_MAX = 40_000_000;

test('a package over CoAP arrives once, with 10 % loss and a restart half-way', {
  timeout: 900_000,
}, async (t) => {
  const key = testKey();
  const built = signUpdate(
    [packageFile('0.2.0', randomBytes(BYTES))],
    { minimumVersion: '0', allowDowngrade: false },
    [key.key],
  );
  assert.ok(built.ok);
  const content = built.value;
  await using place = await tempDir();
  await using sandbox = await openSandbox({ provisioning: { key: 'k', secret: 's' } });
  sandbox.core.admin.createDevice({ name: DEVICE, token: TOKEN });
  const assigned = { title: 'firstlight', version: '0.2.0', data: content };
  assert.ok(sandbox.core.admin.assignPackage(DEVICE, 'software', assigned).ok);
  sandbox.setKnobs({ lossIn: LOSS, lossOut: LOSS });
  const clock = hostClock();
  const log = new RecordingLogger();
  const received: number[] = [];
  let requests = 0;
  const run = async (isOver: () => boolean): Promise<void> => {
    await using transport = new CoapTransport(
      { host: '127.0.0.1', port: sandbox.coapPort },
      { clock, random: hostRandom() },
    );
    const server: UpdateServer = {
      connected: async (signal) => (signal.aborted ? undefined : new Secret(TOKEN)),
      postTelemetry: (token, body, signal) => transport.postTelemetry(token, body, signal),
      downloadChunk: async (token, chunk, signal) => {
        const result = await transport.downloadChunk(token, chunk, signal);
        if (result.ok) received.push(chunk.offset);
        return result;
      },
    };
    const ports = {
      ...{ clock, log, random: hostRandom(), files: new UpdateFiles(place.path) },
      keys: () => key.trusted,
      retryMs: () => 5_000,
      isBusy: () => false,
      request: () => {
        requests += 1;
      },
      result: () => undefined,
    };
    const follower = new UpdateFollower(ports, { spreadMs: 0, installed: '0.1.0' });
    const stop = new AbortController();
    const running = follower.run(server, stop.signal);
    follower.onAttributes({
      is: 'all',
      values: {
        ...{ sw_title: 'firstlight', sw_version: '0.2.0', sw_size: content.length },
        sw_checksum: createHash('sha256').update(content).digest('hex'),
        sw_checksum_algorithm: 'SHA256',
      },
    });
    while (!isOver()) await clock.sleep(50, stop.signal);
    stop.abort();
    await running;
  };
  const startedMs = clock.monotonicMs();
  await run(() => received.length >= 50);
  const rssBefore = process.memoryUsage().rss;
  await run(() => received.length * 1024 >= content.length / 2);
  await run(() => requests > 0);
  const tookS = Math.round((clock.monotonicMs() - startedMs) / 1000);
  const growth = process.memoryUsage().rss - rssBefore;
  const datagrams = sandbox.stats();
  t.diagnostic(
    `${content.length} bytes in ${tookS} s, ${received.length} chunks, RSS grew by ${Math.round(growth / 1e6)} MB, ${JSON.stringify(datagrams).slice(0, 400)}`,
  );
  assert.equal(new Set(received).size, received.length, 'a chunk arrived twice');
  assert.equal(received.length, Math.ceil(content.length / 1024));
  assert.ok(growth < RSS_GROWTH_BYTES_MAX, `RSS grew by ${growth} bytes`);
});
