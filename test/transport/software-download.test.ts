/** Chunks of a software package over CoAP, HTTP and failover, from a sandbox that answers like the recorded ThingsBoard. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { Secret } from '../../src/core/model/secret.ts';
import type { Transport } from '../../src/core/ports/transport.ts';
import { hostClock } from '../../src/host/clock/clock.ts';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { CoapTransport } from '../../src/transport/coap/transport.ts';
import { FailoverTransport } from '../../src/transport/failover/failover-transport.ts';
import { HttpTransport } from '../../src/transport/http/transport.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';

const TOKEN = 'the-token';
const DEVICE = 'gw-1';
const [title, version] = ['firstlight', '0.2.0+1~rc'];
const content = randomBytes(40_000);
const log = new RecordingLogger();
const ports = { clock: hostClock(), random: { uniform: () => 0.5 }, log };
const signal = new AbortController().signal;

const coap = ({ coapPort }: Sandbox): Transport =>
  new CoapTransport(
    { host: '127.0.0.1', port: coapPort },
    {
      ...ports,
      timingOf: () => ({ retransmitAfterMs: [300], noAckTimeoutMs: 900, responseTimeoutMs: 900 }),
    },
  );
const http = ({ httpPort }: Sandbox): Transport =>
  new HttpTransport(
    { scheme: 'http', host: '127.0.0.1', port: httpPort, tls: { pins: [] }, userAgent: 'test' },
    ports,
  );
const failover = (sandbox: Sandbox): Transport =>
  new FailoverTransport(
    [coap, http].map((open, index) => ({
      url: `server ${index}`,
      isEncrypted: false,
      obstacleOf: () => undefined,
      open: async () => open(sandbox),
    })),
    ports,
  );

async function openServer(): Promise<Sandbox> {
  const sandbox = await openSandbox({ provisioning: { key: 'k', secret: 's' } });
  sandbox.core.admin.createDevice({ name: DEVICE, token: TOKEN });
  const assigned = sandbox.core.admin.assignPackage(DEVICE, 'software', { title, version, data: content });
  assert.ok(assigned.ok);
  return sandbox;
}

for (const [name, open, first] of [
  ['CoAP', coap, 1024],
  ['HTTP', http, 16_384],
  ['failover', failover, 1024],
] as const)
  describe(`a software package over ${name}`, () => {
    test('its chunks are the package, from any offset', async () => {
      await using sandbox = await openServer();
      await using transport = open(sandbox);
      const chunks: Uint8Array[] = [];
      let offset = 0;
      while (offset < content.length) {
        const chunk = await transport.downloadChunk(new Secret(TOKEN), { title, version, offset }, signal);
        assert.ok(chunk.ok, JSON.stringify(chunk));
        chunks.push(chunk.value);
        offset += chunk.value.length;
        assert.ok(offset === content.length || offset % 1024 === 0);
      }
      assert.equal(chunks[0]?.length, first);
      assert.ok(Buffer.concat(chunks).equals(content));
      const middle = await transport.downloadChunk(
        new Secret(TOKEN),
        { title, version, offset: 17 * 1024 },
        signal,
      );
      assert.ok(middle.ok && content.subarray(17 * 1024, 18 * 1024).equals(middle.value));
    });

    test('another version, a wrong token and no package are failures', async () => {
      await using sandbox = await openServer();
      await using transport = open(sandbox);
      const reasonOf = async (token: string, chunk: { title: string; version: string }) => {
        const result = await transport.downloadChunk(new Secret(token), { ...chunk, offset: 0 }, signal);
        return result.ok ? 'ok' : result.failure.reason;
      };
      assert.equal(await reasonOf(TOKEN, { title, version: '9' }), 'request-malformed');
      assert.equal(await reasonOf('nobody', { title, version }), 'unauthorized');
      sandbox.core.admin.unassignPackage(DEVICE, 'software');
      assert.equal(await reasonOf(TOKEN, { title, version }), 'unexpected-response');
    });
  });
