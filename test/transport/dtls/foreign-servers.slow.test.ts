/**
 * The agent as a process against coaps servers of other makers, with a token and with a client certificate: it provisions,
 * posts, applies a setting of the server, answers commands, and loses nothing when the server is killed.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isJsonObject } from '../../../src/core/model/json-object.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { CHUNK_BYTES } from '../../../src/core/ports/software-source.ts';
import { AgentProcess, tempDir } from '../../app/agent-process.ts';
import { Authority, type Pem } from '../../doubles/certificates.ts';
import { freeUdpPort } from '../../free-port.ts';
import { dtlsProblem, openDtls } from './dtls-server.ts';
import { CALIFORNIUM, javaProblem } from './helper/peers/californium.ts';
import {
  DeviceServer,
  type Prepared,
  prepareCalifornium,
  prepareLibcoap,
  type Received,
} from './helper/peers/device-server.ts';
import { Network } from './helper/peers/udp.ts';

const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';
const DOWN_MS = 5_000;
/** The server sets the interval of the readings from 3 s to 2 s: a lost reading leaves 4 s. */
const GAP_MS_MAX = 3_500;

interface Server {
  readonly name: string;
  readonly skip: string | false;
  readonly prepare: (directory: string, credentials: string) => Prepared;
}

const SERVERS: readonly Server[] = [
  ...(['openssl', 'gnutls'] as const).map((library) => ({
    name: `libcoap with ${library}`,
    skip: dtlsProblem,
    prepare: (directory: string) => prepareLibcoap(library, directory),
  })),
  { name: `Californium ${CALIFORNIUM}`, skip: dtlsProblem || javaProblem, prepare: prepareCalifornium },
];

for (const { name, skip, prepare } of SERVERS) {
  describe(`the agent and ${name}`, { skip, timeout: 900_000 }, () => {
    let directory: string;
    let authority: Authority;
    let certificate: Pem;
    let prepared: Prepared;

    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'firstlight-foreign-'));
      authority = new Authority();
      certificate = authority.issue();
      const credentials = join(directory, 'server.pem');
      writeFileSync(credentials, certificate.cert + authority.pem.cert + certificate.key);
      prepared = prepare(directory, credentials);
    });

    after(() => {
      authority[Symbol.dispose]();
      rmSync(directory, { recursive: true, force: true });
    });

    const serverTest = (
      title: string,
      run: (
        start: (attributes: string) => Promise<DeviceServer>,
        port: number,
        received: Received[],
        context: TestContext,
      ) => Promise<void>,
      token: string | undefined,
    ) =>
      it(title, { timeout: 240_000 }, async (context) => {
        if (!prepared.ok) return context.skip(prepared.problem);
        const { commandLine } = prepared;
        const port = await freeUdpPort();
        const received: Received[] = [];
        const start = (attributes: string) =>
          DeviceServer.start(commandLine({ port, authority, certificate, token, attributes }), received);
        await run(start, port, received, context);
      });

    serverTest(
      'software arrives in chunks of 1,024 bytes',
      async (start, port) => {
        await using _server = await start('{}');
        await using transport = openDtls({ port, tls: { pins: [], ca: authority.pem.cert } });
        const { signal } = new AbortController();
        for (const chunk of [0, 1, 2, 300]) {
          const asked = { title: 'firstlight', version: '0.2.0', offset: chunk * CHUNK_BYTES };
          const result = await transport.downloadChunk(new Secret(TOKEN), asked, signal);
          assert.ok(result.ok, JSON.stringify(result));
          assert.deepEqual(
            Buffer.from(result.value),
            Buffer.from(Array.from({ length: CHUNK_BYTES }, (_, index) => (index + chunk) & 0xff)),
          );
        }
      },
      TOKEN,
    );

    serverTest(
      'a lost flight of the server delays the first post by 6 s at most',
      async (start, port, received, context) => {
        await using _server = await start('{}');
        using network = await Network.open(port);
        let lost = 0;
        network.toClient = (datagram) => {
          // Whichever datagram has the ServerHello, of the first handshake only.
          const isLost = network.clientPorts === 1 && datagram[0] === 22 && datagram[13] === 2;
          if (isLost) lost += 1;
          return isLost ? [] : [datagram];
        };
        await using transport = openDtls({ port: network.port, tls: { pins: [], ca: authority.pem.cert } });
        const startedMs = performance.now();
        const body = '[{"ts":1,"values":{"a":1}}]';
        const result = await transport.postTelemetry(new Secret(TOKEN), body, new AbortController().signal);
        assert.ok(result.ok, JSON.stringify(result));
        const tookMs = Math.round(performance.now() - startedMs);
        context.diagnostic(`${lost} datagrams lost, the post took ${tookMs} ms`);
        assert.ok(lost > 0 && tookMs < 8_000, `${tookMs} ms`);
        assert.equal(received.filter(({ what }) => what === 'telemetry').length, 1);
      },
      TOKEN,
    );

    for (const token of [TOKEN, undefined]) {
      const credentials = token === undefined ? 'a client certificate' : 'a token';
      serverTest(
        `with ${credentials} settings, commands and all readings arrive, also after a kill`,
        async (start, port, received, context) => {
          const client = token === undefined ? authority.issue({ names: 'DNS:gw-1' }) : undefined;
          await using place = await tempDir();
          const file = await place.config(configOf(port, authority, client));
          let server = await start('{}');
          await using agent = AgentProcess.run([
            'run',
            '--config',
            file,
            '--state',
            join(place.path, 'state'),
          ]);
          await agent.line('first telemetry accepted');
          if (token !== undefined)
            assert.match(await server.next('provision'), /"provisionDeviceKey":"key-of-the-profile"/);
          assert.match(await server.next('attributes'), /"/);
          await server.next('observe');

          const set = '{"telemetryInterval":"2s"}';
          const observed = received.length;
          server.notify('attributes', set);
          await agent.line('event=FL-REMOTE-SETTINGS-APPLIED');
          await server.next('attributes', observed, 30_000, (body) => /telemetryInterval\W+2s/.test(body));
          const appliedMs = Date.now();
          await server.next('observe', observed);
          await answersPing(server, received, 7);

          await sleep(2 * GAP_MS_MAX);
          await server.kill();
          await sleep(DOWN_MS);
          const restarted = received.length;
          server = await start(set);
          await using _last = server;
          const restartedMs = performance.now();
          await server.next('telemetry', restarted, 60_000);
          context.diagnostic(
            `first telemetry ${Math.round(performance.now() - restartedMs)} ms after the start`,
          );
          await server.next('observe', restarted, 60_000);
          await answersPing(server, received, 8);
          const untilMs = Date.now();
          const uptimes = () => uptimesOf(received, appliedMs);
          await until(
            () => Math.max(...uptimes().keys()) > untilMs && gapsOf(uptimes()).length === 0,
            30_000,
          );
          assert.equal(await agent.stop(), 0);
          assert.deepEqual(gapsOf(uptimes()), []);
          assert.equal(new Set(uptimes().values()).size, uptimes().size, 'a reading has two timestamps');
          const posts = received.filter(({ what }) => what === 'telemetry').map(({ body }) => body);
          const repeated = posts.length - new Set(posts).size;
          context.diagnostic(
            `${uptimes().size} readings, ${repeated} of ${posts.length} posts executed twice`,
          );
          assert.equal(
            received.filter(({ what }) => what === 'provision').length,
            token === undefined ? 0 : 1,
          );
          assert.ok(!agent.output.some((line) => line.includes('event=FL-READINGS-LOST')));
        },
        token,
      );
    }
  });
}

function configOf(port: number, authority: Authority, client: Pem | undefined): string {
  const own = client ? `cert-file = "${client.certFile}"\nkey-file = "${client.keyFile}"\n` : '';
  const provisioning = `[provisioning]
key = "key-of-the-profile"
secret = "secret-of-the-profile"
credentials = "server-generated"
[device]
name = "gw-foreign"
`;
  return `[server]
url = "coaps://127.0.0.1:${port}"
spread = "0s"
ca-file = "${authority.pem.certFile}"
${own}${client ? '' : provisioning}[telemetry]
interval = "3s"
deadband = "uptimeS=0.5"
[clock]
trust = "system"
`;
}

async function answersPing(server: DeviceServer, received: readonly Received[], id: number): Promise<void> {
  const position = received.length;
  server.notify('command', `{"id":${id},"method":"ping","params":{}}`);
  const reply: unknown = JSON.parse(await server.next(`reply ${id}`, position));
  assert.ok(isJsonObject(reply) && reply['error'] === undefined, JSON.stringify(reply));
}

/** The uptime by its timestamp, from `fromMs` on; a repetition must have the same value. */
function uptimesOf(received: readonly Received[], fromMs: number): ReadonlyMap<number, number> {
  const uptimes = new Map<number, number>();
  for (const { what, body } of received) {
    if (what !== 'telemetry') continue;
    const parsed: unknown = JSON.parse(body);
    for (const element of Array.isArray(parsed) ? parsed : [parsed]) {
      const { ts, values } = element as {
        readonly ts: number;
        readonly values: { readonly uptimeS?: number };
      };
      assert.equal(typeof ts, 'number', body);
      if (values.uptimeS === undefined || ts < fromMs) continue;
      assert.equal(uptimes.get(ts) ?? values.uptimeS, values.uptimeS, `two values at ${ts}`);
      uptimes.set(ts, values.uptimeS);
    }
  }
  return uptimes;
}

/** Where a reading is missing: the time between its neighbours, ms. */
function gapsOf(uptimes: ReadonlyMap<number, number>): readonly number[] {
  const times = [...uptimes.keys()].sort((a, b) => a - b);
  return times.slice(1).flatMap((ts, index) => {
    const gapMs = ts - (times[index] ?? ts);
    return gapMs > GAP_MS_MAX ? [gapMs] : [];
  });
}

async function until(isTrue: () => boolean, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!isTrue() && performance.now() < deadline) await sleep(100);
}
