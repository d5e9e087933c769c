/**
 * Connects below TLS: TCP over IPv4 or IPv6, and a tunnel through a proxy (CONNECT, RFC 9110 section 9.3.6).
 */

import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Failure } from '../../core/failures/failure.ts';
import type { ProxyAddress } from '../../core/model/config.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { networkFailure } from '../network-failure.ts';
import { type AddressRace, raceAddresses } from '../race-addresses.ts';
import type { Resolve, SocketAddress } from '../resolve.ts';
import { formatAuthority } from './origin.ts';
import { ABORTED, fail, failWith, socketResult } from './socket-result.ts';

export interface TcpPorts {
  readonly clock: Clock;
  readonly resolve: Resolve;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export async function connectTcp(
  { host, port }: HostPort,
  { clock, resolve }: TcpPorts,
  signal: AbortSignal,
): Promise<Result<Socket>> {
  // The same resolver as that of CoAP.
  const addresses = await resolve(host, port, clock, signal);
  if (!addresses.ok) return addresses;
  const target = formatAuthority({ host, port });
  const race: AddressRace<Socket> = {
    attempt: (address, attemptSignal) => connectAddress(address, target, attemptSignal),
    discard: (socket) => socket.destroy(),
  };
  return raceAddresses(addresses.value, race, clock, signal);
}

async function connectAddress(
  { address, port, family }: SocketAddress,
  target: string,
  signal: AbortSignal,
): Promise<Result<Socket>> {
  const socket = connect({ host: address, port, family, noDelay: true });
  const socketError = await socketResult(socket, 'connect', signal);
  if (socketError === undefined) return { ok: true, value: socket };
  return socketError === ABORTED ? aborted() : failWith(networkFailure(socketError, target));
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
