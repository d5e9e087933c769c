/** Runs the contracts of the transport and of the downlink over coaps, with the real helper. */

import { after } from 'node:test';
import { openSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts';
import { DEVICE_TOKEN, downlinkContract } from '../../contracts/downlink.ts';
import { PROFILE, transportContract } from '../../contracts/transport.ts';
import { Authority } from '../../doubles/certificates.ts';
import { serve } from '../downlink-servers.ts';
import { dtlsProblem, openDtls } from './dtls-server.ts';

const authority = dtlsProblem ? undefined : new Authority();
const pem = authority?.issue();
after(() => authority?.[Symbol.dispose]());

const knobs = { coreLatencyMinMs: 0, coreLatencyMaxMs: 5 };

function openServer(provisioning: { readonly key: string; readonly secret: string }): Promise<Sandbox> {
  const files = { certFile: pem?.certFile ?? '', keyFile: pem?.keyFile ?? '' };
  return openSandbox({ provisioning, knobs, coaps: { files } });
}

function targetOf({ coaps }: Sandbox) {
  return { port: coaps?.port ?? 0, tls: { pins: [], ca: authority?.pem.cert ?? '' } };
}

transportContract(
  'CoapTransport over DTLS',
  async () => {
    const sandbox = await openServer(PROFILE);
    const timing = { retransmitAfterMs: [100, 200], noAckTimeoutMs: 1_000, responseTimeoutMs: 1_000 };
    let closing: Promise<void> | undefined;
    return {
      sandbox,
      open: (onRoundTrip) =>
        openDtls(targetOf(sandbox), { timingOf: () => timing, ...(onRoundTrip && { onRoundTrip }) }),
      [Symbol.asyncDispose]: () => {
        closing ??= sandbox[Symbol.asyncDispose]();
        return closing;
      },
    };
  },
  dtlsProblem,
);

downlinkContract(
  'CoapTransport over DTLS',
  async () => {
    const sandbox = await openServer({ key: 'k', secret: 's' });
    sandbox.core.admin.createDevice({ name: 'gw-1', token: DEVICE_TOKEN });
    const timing = { retransmitAfterMs: [200, 400], noAckTimeoutMs: 1_500, responseTimeoutMs: 1_500 };
    const renewals = { commandsMs: 500, attributesMsMin: 500, attributesMsMax: 500, pauseMs: 200 };
    return serve(sandbox, () => openDtls(targetOf(sandbox), { timingOf: () => timing, renewals }));
  },
  dtlsProblem,
);
