/**
 * The way to a server below TLS: TCP over IPv4 or IPv6, and a tunnel through a proxy (CONNECT, RFC 9110 section 9.3.6).
 */

import { request } from 'node:http';
import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Refusal } from '../../core/failures/failure.ts';
import type { ProxyAddress } from '../../core/model/config.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { networkRefusal } from '../network-failure.ts';
import type { Resolve } from '../resolve.ts';
import { authority } from './origin.ts';
import { ABORTED, outcome, Refused, refused, refusedFor } from './socket-result.ts';

/**
 * The time each address of a name has before the next one has its turn, ms: Node gives up the one before then, and its own
 * 250 ms are less than a round trip by satellite or a busy cell.
 */
const ADDRESS_MS = 2_500;

export interface ReachPorts {
  readonly clock: Clock;
  readonly resolve: Resolve;
}

export interface Near {
  readonly host: string;
  readonly port: number;
}

export async function tcpTo(near: Near, ports: ReachPorts, signal: AbortSignal): Promise<Result<Socket>> {
  const socket = connectTcp({
    ...near,
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_MS,
    lookup: lookupBy(ports, signal),
  });
  const failure = await outcome(socket, 'connect', signal);
  if (failure === undefined) return { ok: true, value: socket };
  if (failure === ABORTED) return aborted();
  return refusedFor(failure instanceof Refused ? failure.refusal : networkRefusal(failure, authority(near)));
}

/** Names as the CoAP road resolves them: each asked once at a time, within a deadline, in the order of the host. */
function lookupBy({ clock, resolve }: ReachPorts, signal: AbortSignal): LookupFunction {
  return (host, _options, callback) => {
    void resolve(host, 0, clock, signal).then((found) => {
      if (found.ok)
        callback(
          null,
          found.value.map(({ address, family }) => ({ address, family })),
        );
      else callback(new Refused(found.refusal), []);
    });
  };
}

/** The same socket, now with the target at its other end. */
export async function tunnel(
  socket: Socket,
  proxy: ProxyAddress,
  to: Near,
  signal: AbortSignal,
): Promise<Result<Socket>> {
  const target = authority(to);
  const headers = {
    Host: target,
    ...(proxy.authorization && { 'Proxy-Authorization': proxy.authorization.reveal() }),
  };
  const asking = request({ method: 'CONNECT', path: target, headers, createConnection: () => socket });
  const answered = new Promise<Result<Socket>>((resolve) => {
    asking.on('connect', ({ statusCode = 0 }) => {
      if (statusCode >= 200 && statusCode < 300) return resolve({ ok: true, value: socket });
      socket.destroy();
      // It would, but the server is not there: that heals by itself.
      const reason = [502, 503, 504].includes(statusCode) ? 'upstream-away' : 'proxy-refused';
      resolve(refused(reason, `${proxy.url} answers ${statusCode} to CONNECT ${target}`));
    });
    asking.on('error', (error) => resolve(refusedByProxy(networkRefusal(error, proxy.url))));
  });
  const stop = () => socket.destroy();
  signal.addEventListener('abort', stop, { once: true });
  asking.end();
  const result = await answered;
  signal.removeEventListener('abort', stop);
  return signal.aborted ? aborted() : result;
}

export function refusedByProxy({ reason, detail }: Refusal): Result<never> {
  return reason === 'aborted' ? aborted() : refused('proxy-away', detail);
}
