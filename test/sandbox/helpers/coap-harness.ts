/** A front door over the fake core, with one peer; everything is closed at the end of the test. */

import { type CoapFrontDoor, openCoapFrontDoor } from '../../../src/sandbox/coap/coap-server.ts';
import type { CoapSettings } from '../../../src/sandbox/coap/settings.ts';
import type { Knobs } from '../../../src/sandbox/core/model/types.ts';
import { CoapPeer } from './coap-peer.ts';
import { FakeCoapCore } from './fake-coap-core.ts';

export interface Stage extends AsyncDisposable {
  readonly core: FakeCoapCore;
  readonly door: CoapFrontDoor;
  readonly peer: CoapPeer;
  readonly log: string[];
}

export interface StageWish {
  readonly latencyMs?: number;
  readonly knobs?: Partial<Knobs>;
  readonly settings?: Partial<CoapSettings>;
  readonly host?: string;
}

export async function stage(wish: StageWish = {}): Promise<Stage> {
  const { host = '127.0.0.1', settings = {}, knobs = {}, latencyMs = 0 } = wish;
  const core = new FakeCoapCore();
  Object.assign(core.knobs, knobs);
  core.latencyMs = latencyMs;
  const log: string[] = [];
  const door = await openCoapFrontDoor({ core, host, port: 0, settings, log: (line) => log.push(line) });
  const peer = await CoapPeer.open(door.port, host === '::' ? '::1' : host);
  return {
    core,
    door,
    peer,
    log,
    [Symbol.asyncDispose]: async () => {
      await peer[Symbol.asyncDispose]();
      await door[Symbol.asyncDispose]();
    },
  };
}
