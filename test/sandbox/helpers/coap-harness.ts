/** A CoAP server over the fake core, with one peer. */

import type { CertificateOf } from '../../../src/sandbox/coap/coap-device-api.ts';
import { type CoapServer, openCoapServer } from '../../../src/sandbox/coap/coap-server.ts';
import type { CoapSettings } from '../../../src/sandbox/coap/settings.ts';
import type { Knobs } from '../../../src/sandbox/core/model/types.ts';
import { CoapPeer } from './coap-peer.ts';
import { FakeCoapCore } from './fake-coap-core.ts';

export interface CoapHarness extends AsyncDisposable {
  readonly core: FakeCoapCore;
  readonly server: CoapServer;
  readonly peer: CoapPeer;
  readonly log: string[];
}

export interface CoapHarnessOptions {
  readonly latencyMs?: number;
  readonly knobs?: Partial<Knobs>;
  readonly settings?: Partial<CoapSettings>;
  readonly host?: string;
  readonly certificateOf?: CertificateOf;
}

export async function openCoapHarness(options: CoapHarnessOptions = {}): Promise<CoapHarness> {
  const { host = '127.0.0.1', settings = {}, knobs = {}, latencyMs = 0 } = options;
  const core = new FakeCoapCore();
  Object.assign(core.knobs, knobs);
  core.latencyMs = latencyMs;
  const log: string[] = [];
  const { certificateOf } = options;
  const server = await openCoapServer({
    core,
    host,
    port: 0,
    settings,
    log: (line) => log.push(line),
    ...(certificateOf && { certificateOf }),
  });
  const peer = await CoapPeer.open(server.port, host === '::' ? '::1' : host);
  return {
    core,
    server,
    peer,
    log,
    [Symbol.asyncDispose]: async () => {
      await peer[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
