/** Runs the transport contract over CoAP, HTTP and HTTPS. */

import { after } from 'node:test';
import type { Transport } from '../../src/core/ports/transport.ts';
import { hostClock } from '../../src/host/clock/clock.ts';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { CoapTransport } from '../../src/transport/coap/transport.ts';
import { type HttpPorts, HttpTransport } from '../../src/transport/http/transport.ts';
import { PROFILE, type ServerUnderTest, transportContract } from '../contracts/transport.ts';
import { Authority, opensslProblem } from '../doubles/certificates.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { openTlsFront } from '../doubles/tls-front.ts';

const clock = hostClock();
const timeouts = { requestMs: 1_500, provisioningMs: 3_000 };
const userAgent = 'firstlight/test';
const knobs = { coreLatencyMinMs: 0, coreLatencyMaxMs: 5 };

type RoundTripListener = Pick<HttpPorts, 'onRoundTrip'>;

async function serve(
  open: (sandbox: Sandbox, ports: RoundTripListener) => Transport,
  more: readonly AsyncDisposable[] = [],
  sandbox?: Sandbox,
): Promise<ServerUnderTest> {
  const served = sandbox ?? (await openSandbox({ provisioning: PROFILE, knobs }));
  let closing: Promise<void> | undefined;
  const close = async () => {
    for (const each of more) await each[Symbol.asyncDispose]();
    await served[Symbol.asyncDispose]();
  };
  return {
    sandbox: served,
    open: (onRoundTrip) => open(served, onRoundTrip ? { onRoundTrip } : {}),
    [Symbol.asyncDispose]: () => {
      closing ??= close();
      return closing;
    },
  };
}

transportContract('CoapTransport', () => {
  const timing = { retransmitAfterMs: [100, 200], noAckTimeoutMs: 1_000, responseTimeoutMs: 1_000 };
  const ports = { clock, random: { uniform: () => 0 }, timingOf: () => timing };
  return serve(
    ({ coapPort }, listener) =>
      new CoapTransport({ host: '127.0.0.1', port: coapPort }, { ...ports, ...listener }),
  );
});

transportContract('HttpTransport over HTTP', () =>
  serve(({ httpPort }, listener) => {
    const settings = {
      scheme: 'http',
      host: '127.0.0.1',
      port: httpPort,
      tls: { pins: [] },
      userAgent,
    } as const;
    return new HttpTransport(settings, { clock, log: new RecordingLogger(), timeouts, ...listener });
  }),
);

const authority = opensslProblem ? undefined : new Authority();
const pem = authority?.issue();
after(() => authority?.[Symbol.dispose]());

transportContract(
  'HttpTransport over HTTPS',
  async () => {
    const sandbox = await openSandbox({ provisioning: PROFILE, knobs });
    const front = await openTlsFront(sandbox.httpPort, { cert: pem?.cert, key: pem?.key });
    const tls = { pins: [], ca: authority?.pem.cert ?? '' };
    const settings = { scheme: 'https', host: 'localhost', port: front.port, tls, userAgent } as const;
    return serve(
      (_sandbox, listener) =>
        new HttpTransport(settings, { clock, log: new RecordingLogger(), timeouts, ...listener }),
      [front],
      sandbox,
    );
  },
  opensslProblem,
);
