/**
 * The cause of a stranding: what happened to the one request that the server granted.
 *
 * Stranded means that the server has provisioned the device and responds with FAILURE for ever, and the
 * gateway does not know the token.
 */

import type { PromiseChecker } from './promise-checker.ts';
import type { SimulatedServer } from './simulated-server.ts';

export type Cause =
  | 'the gateway lost power or was killed between request and stored token'
  | 'the gateway was stopped between request and response'
  | 'the disk was full when the token arrived, and the gateway lost power or was killed before there was space'
  | 'the core took more than 10 s: it executed the request and responded with 5.00'
  | 'the request arrived after the gateway had given up'
  | 'the server restarted in between and lost its response'
  | 'no response arrived while the gateway waited'
  | 'no request was granted';

export function causeOf(server: SimulatedServer, checker: PromiseChecker): Cause {
  const { granted, restartsMs } = server;
  const call = granted && checker.callOf(granted);
  if (!granted || !call) return 'no request was granted';
  if (call.outcome === 'storage failed')
    return 'the disk was full when the token arrived, and the gateway lost power or was killed before there was space';
  if (granted.isAnswered === false) {
    return 'the core took more than 10 s: it executed the request and responded with 5.00';
  }
  const { endedMs } = call;
  if (endedMs === undefined) return 'the gateway lost power or was killed between request and stored token';
  if (call.outcome === 'aborted') return 'the gateway was stopped between request and response';
  if (granted.atMs > endedMs) return 'the request arrived after the gateway had given up';
  if (restartsMs.some((atMs) => atMs >= granted.atMs && atMs <= endedMs)) {
    return 'the server restarted in between and lost its response';
  }
  return 'no response arrived while the gateway waited';
}
