/** Runs the downlink contract over HTTPS and failover. */

import { after } from 'node:test';
import { FailoverTransport } from '../../src/transport/failover/failover-transport.ts';
import { HttpTransport } from '../../src/transport/http/transport.ts';
import { downlinkContract } from '../contracts/downlink.ts';
import { Authority, opensslProblem } from '../doubles/certificates.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { openTlsFront } from '../doubles/tls-front.ts';
import { clock, httpPorts, openCoap, openServer, random, serve, userAgent } from './downlink-servers.ts';

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
