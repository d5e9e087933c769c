/**
 * Connects below TLS: TCP over IPv4 or IPv6, and a tunnel through a proxy (CONNECT, RFC 9110 section 9.3.6).
 */

import { request } from 'node:http';
import { connect, type LookupFunction, type Socket } from 'node:net';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Failure } from '../../core/failures/failure.ts';
import type { ProxyAddress } from '../../core/model/config.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { networkFailure } from '../network-failure.ts';
import type { Resolve } from '../resolve.ts';
import { formatAuthority } from './origin.ts';
import { ABORTED, FailureError, fail, failWith, socketResult } from './socket-result.ts';

/**
 * Time per address of a name, ms; then Node abandons it and tries the next. Node's default of 250 ms is less
 * than a round trip over a satellite or a busy mobile cell.
 */
const ADDRESS_TIMEOUT_MS = 2_500;

export interface TcpPorts {
  readonly clock: Clock;
  readonly resolve: Resolve;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export async function connectTcp(
  target: HostPort,
  ports: TcpPorts,
  signal: AbortSignal,
): Promise<Result<Socket>> {
  const socket = connect({
    ...target,
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS,
    lookup: createLookup(ports, signal),
  });
  const socketError = await socketResult(socket, 'connect', signal);
  if (socketError === undefined) return { ok: true, value: socket };
  if (socketError === ABORTED) return aborted();
  return failWith(
    socketError instanceof FailureError
      ? socketError.failure
      : networkFailure(socketError, formatAuthority(target)),
  );
}

/** Resolves names with the same resolver as CoAP. */
function createLookup({ clock, resolve }: TcpPorts, signal: AbortSignal): LookupFunction {
  return (host, _options, callback) => {
    void resolve(host, 0, clock, signal).then((resolved) => {
      if (resolved.ok)
        callback(
          null,
          resolved.value.map(({ address, family }) => ({ address, family })),
        );
      else callback(new FailureError(resolved.failure), []);
    });
  };
}

/** Returns `socket` when the proxy has connected it to the destination. */
export async function openTunnel(
  socket: Socket,
  proxy: ProxyAddress,
  destination: HostPort,
  signal: AbortSignal,
): Promise<Result<Socket>> {
  const target = formatAuthority(destination);
  const headers = {
    Host: target,
    ...(proxy.authorization && { 'Proxy-Authorization': proxy.authorization.reveal() }),
  };
  const connectRequest = request({
    method: 'CONNECT',
    path: target,
    headers,
    createConnection: () => socket,
  });
  const tunnelResult = new Promise<Result<Socket>>((resolve) => {
    connectRequest.on('connect', ({ statusCode = 0 }) => {
      if (statusCode >= 200 && statusCode < 300) return resolve({ ok: true, value: socket });
      socket.destroy();
      // The proxy allows the connection but cannot reach the server.
      const reason = [502, 503, 504].includes(statusCode) ? 'upstream-unavailable' : 'proxy-denied';
      resolve(fail(reason, `${proxy.url} responded ${statusCode} to CONNECT ${target}`));
    });
    connectRequest.on('error', (error) => resolve(proxyFailure(networkFailure(error, proxy.url))));
  });
  const destroySocket = () => socket.destroy();
  signal.addEventListener('abort', destroySocket, { once: true });
  connectRequest.end();
  const result = await tunnelResult;
  signal.removeEventListener('abort', destroySocket);
  return signal.aborted ? aborted() : result;
}

export function proxyFailure({ reason, detail }: Failure): Result<never> {
  return reason === 'aborted' ? aborted() : fail('proxy-unreachable', detail);
}
