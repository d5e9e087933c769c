/**
 * Why a gateway was stranded: what became of the one request that the server granted.
 *
 * Stranded means that the server has provisioned the device, will say FAILURE for ever, and the gateway does not know the token.
 */

import type { PromiseChecker } from './promise-checker.ts';
import type { SimulatedServer } from './simulated-server.ts';

export type Cause =
  | 'the gateway lost its power or was killed between request and stored token'
  | 'the gateway was stopped between request and answer'
  | 'the disk was full when the token came, and the gateway lost its power or was killed before there was room'
  | 'the core took more than 10 s: it executed the request, and the answer was 5.00'
  | 'the request arrived after the gateway had given it up'
  | 'the server restarted in between and forgot its answer'
  | 'no answer came through for as long as the gateway asked'
  | 'nothing was ever granted';

export function causeOf(server: SimulatedServer, checker: PromiseChecker): Cause {
  const { granted, restartsMs } = server;
  const call = granted && checker.callOf(granted);
  if (!granted || !call) return 'nothing was ever granted';
  if (call.how === 'store failed')
    return 'the disk was full when the token came, and the gateway lost its power or was killed before there was room';
  if (granted.answered === false) {
    return 'the core took more than 10 s: it executed the request, and the answer was 5.00';
  }
  const { endedMs } = call;
  if (endedMs === undefined)
    return 'the gateway lost its power or was killed between request and stored token';
  if (call.how === 'aborted') return 'the gateway was stopped between request and answer';
  if (granted.atMs > endedMs) return 'the request arrived after the gateway had given it up';
  if (restartsMs.some((atMs) => atMs >= granted.atMs && atMs <= endedMs)) {
    return 'the server restarted in between and forgot its answer';
  }
  return 'no answer came through for as long as the gateway asked';
}
