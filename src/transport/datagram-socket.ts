/** What the CoAP message layer needs of a socket: that of UDP, or one that encrypts each datagram. */

import type { RemoteInfo } from 'node:dgram';
import { aborted, type Result } from '../core/failures/failure.ts';
import { FailureError } from './network-failure.ts';
import type { SocketAddress } from './resolve.ts';

/** A connected socket: it receives only datagrams of its peer. `dgram.Socket` is one. */
export interface DatagramSocket {
  on(event: 'message', listener: (bytes: Buffer, from: RemoteInfo) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  connect(port: number, address: string, callback: (error?: Error) => void): void;
  send(bytes: Buffer, callback: (error: Error | null) => void): void;
  close(callback?: () => void): unknown;
  /** Absent: the datagrams are not encrypted. */
  readonly link?: SecureLink;
}

/**
 * The encrypted link below a socket. The server knows this peer by its link: after a new handshake it replays no
 * response and sends no notification of before.
 */
export interface SecureLink {
  /** The server has shown that it has the keys of the present link: it would replay a response there. */
  readonly isConfirmed: boolean;
  /** Ends with a link that can be used now; shakes hands if there is none, or if it was idle for too long. */
  prepare(signal: AbortSignal): Promise<Result<void>>;
  /** To be called before each sending of a request that may be executed twice; shakes hands if the link seems dead. */
  beforeRequest(datagram: Buffer): void;
  /** Calls `listener` whenever a link that was in use has ended or is being replaced. */
  onLost(listener: () => void): void;
}

/** Opens a socket of the host, of a virtual network in a simulation, or over DTLS. */
export type OpenSocket = (type: 'udp4' | 'udp6') => DatagramSocket;

/** Rejects if it cannot be connected; over DTLS, after the handshake. The caller closes the socket then. */
export async function connectSocket(
  socket: DatagramSocket,
  peer: SocketAddress,
  signal?: AbortSignal,
): Promise<void> {
  let abort = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      abort = () => reject(new FailureError(aborted().failure));
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort);
      // Node reports a failure to the callback or as an event, depending on the step that failed.
      socket.once('error', reject);
      socket.connect(peer.port, peer.address, (error?: Error) => {
        socket.removeListener('error', reject);
        if (error) reject(error);
        else resolve();
      });
    });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
