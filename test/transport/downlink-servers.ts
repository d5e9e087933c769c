/** Servers for the downlink contract: a sandbox, and transports with short intervals. */

import { hostClock } from '../../src/host/clock/clock.ts';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { CoapTransport } from '../../src/transport/coap/transport.ts';
import { DEVICE_TOKEN, type DownlinkServer, type DownlinkUnderTest } from '../contracts/downlink.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';

export const clock = hostClock();
export const random = { uniform: () => 0.5 };
const DEVICE = 'gw-1';
export const userAgent = 'firstlight/test';

export async function openServer(): Promise<Sandbox> {
  const sandbox = await openSandbox({
    provisioning: { key: 'k', secret: 's' },
    knobs: { coreLatencyMinMs: 0, coreLatencyMaxMs: 5 },
  });
  sandbox.core.admin.createDevice({ name: DEVICE, token: DEVICE_TOKEN });
  return sandbox;
}

export function serve(
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

export function openCoap({ coapPort }: Sandbox): CoapTransport {
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

export const httpPorts = {
  clock,
  log: new RecordingLogger(),
  timeouts: { requestMs: 2_000, provisioningMs: 2_000 },
  polls: { pollMs: 500, firstPollMs: 100, lateMs: 1_000, readEveryMs: 600 },
};
