/** Runs the downlink contract over CoAP, HTTP, HTTPS, failover and the double. */

import { after } from 'node:test';
import { Secret } from '../../src/core/model/secret.ts';
import { hostClock } from '../../src/host/clock/clock.ts';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { CoapTransport } from '../../src/transport/coap/transport.ts';
import { FailoverTransport } from '../../src/transport/failover/failover-transport.ts';
import { HttpTransport } from '../../src/transport/http/transport.ts';
import {
  DEVICE_TOKEN,
  type DownlinkServer,
  type DownlinkUnderTest,
  downlinkContract,
} from '../contracts/downlink.ts';
import { Authority, opensslProblem } from '../doubles/certificates.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { ScriptedTransport } from '../doubles/scripted-transport.ts';
import { openTlsFront } from '../doubles/tls-front.ts';

const clock = hostClock();
const random = { uniform: () => 0.5 };
const DEVICE = 'gw-1';
const userAgent = 'firstlight/test';

async function openServer(): Promise<Sandbox> {
  const sandbox = await openSandbox({
    provisioning: { key: 'k', secret: 's' },
    knobs: { coreLatencyMinMs: 0, coreLatencyMaxMs: 5 },
  });
  sandbox.core.admin.createDevice({ name: DEVICE, token: DEVICE_TOKEN });
  return sandbox;
}

function serve(
  sandbox: Sandbox,
  open: () => DownlinkUnderTest,
  more: readonly AsyncDisposable[] = [],
): DownlinkServer {
  const { admin } = sandbox.core;
  let closing: Promise<void> | undefined;
  const close = async () => {
    for (const each of more) await each[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  };
  return {
    open,
    setAttributes: (values) => void admin.setSharedAttributes(DEVICE, JSON.stringify(values)),
    deleteAttributes: (keys) => void admin.deleteSharedAttributes(DEVICE, keys),
    command: async (method, params) => {
      const sent = await admin.sendRpc(DEVICE, { method, params });
      return sent.ok && sent.value.status === 'replied' ? sent.value.reply : undefined;
    },
    forget: () => admin.restart(),
    restart: () => sandbox.restart(),
    deleteDevice: () => void admin.deleteDevice(DEVICE),
    [Symbol.asyncDispose]: () => {
      closing ??= close();
      return closing;
    },
  };
}

function openCoap({ coapPort }: Sandbox): CoapTransport {
  const timing = { retransmitAfterMs: [200, 400], noAckTimeoutMs: 1_500, responseTimeoutMs: 1_500 };
  return new CoapTransport(
    { host: '127.0.0.1', port: coapPort },
    {
      clock,
      random,
      timingOf: () => timing,
      renewals: { commandsMs: 500, attributesMsMin: 500, attributesMsMax: 500, pauseMs: 200 },
    },
  );
}

const httpPorts = {
  clock,
  log: new RecordingLogger(),
  timeouts: { requestMs: 2_000, provisioningMs: 2_000 },
  polls: { pollMs: 500, firstPollMs: 100, lateMs: 1_000, readEveryMs: 600 },
};

downlinkContract('CoapTransport', async () => {
  const sandbox = await openServer();
  return serve(sandbox, () => openCoap(sandbox));
});

downlinkContract('HttpTransport over HTTP', async () => {
  const sandbox = await openServer();
  const settings = {
    scheme: 'http',
    host: '127.0.0.1',
    port: sandbox.httpPort,
    tls: { pins: [] },
    userAgent,
  } as const;
  return serve(sandbox, () => new HttpTransport(settings, httpPorts));
});

const authority = opensslProblem ? undefined : new Authority();
const pem = authority?.issue();
after(() => authority?.[Symbol.dispose]());

downlinkContract(
  'HttpTransport over HTTPS',
  async () => {
    const sandbox = await openServer();
    const front = await openTlsFront(sandbox.httpPort, { cert: pem?.cert, key: pem?.key });
    const tls = { pins: [], ca: authority?.pem.cert ?? '' };
    const settings = { scheme: 'https', host: 'localhost', port: front.port, tls, userAgent } as const;
    return serve(sandbox, () => new HttpTransport(settings, httpPorts), [front]);
  },
  opensslProblem,
);

downlinkContract('FailoverTransport', async () => {
  const sandbox = await openServer();
  const open = () =>
    new FailoverTransport(
      [
        {
          url: 'coap://one',
          isEncrypted: false,
          obstacleOf: () => undefined,
          open: async () => openCoap(sandbox),
        },
        {
          url: 'coap://two',
          isEncrypted: false,
          obstacleOf: () => undefined,
          open: async () => openCoap(sandbox),
        },
      ],
      { clock, random, log: new RecordingLogger() },
    );
  return serve(sandbox, open);
});

downlinkContract('ScriptedTransport', async () => {
  const transport = new ScriptedTransport();
  const { downlink } = transport;
  downlink.token = new Secret(DEVICE_TOKEN);
  const waiting = new Map<number, (body: string) => void>();
  downlink.onReply = (commandId, body) => waiting.get(commandId)?.(body);
  const renewSoon = () => setTimeout(() => downlink.renew(), 20);
  return {
    open: () => transport,
    setAttributes: (values) => downlink.setAttributes(values),
    deleteAttributes: (keys) => downlink.deleteAttributes(keys),
    command: (method, params) =>
      new Promise((resolve) => {
        const id = downlink.sendCommand(method, params);
        waiting.set(id, resolve);
      }),
    forget: () => {
      downlink.forget();
      renewSoon();
    },
    restart: () => {
      downlink.restart();
      renewSoon();
    },
    deleteDevice: () => {
      downlink.token = new Secret('none');
      downlink.end();
    },
    [Symbol.asyncDispose]: async () => {
      downlink.listenFailure = 'port-closed';
      downlink.replyFailure = 'port-closed';
      downlink.end('port-closed');
    },
  };
});
