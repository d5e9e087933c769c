/** A peer of ours on the network, how it is written, and a socket connected to it. */

import type { Socket } from 'node:dgram';

export interface SocketAddress {
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
}

/** `192.0.2.7:5683` or `[2001:db8::7]:5683`. */
export function formatAddress(peer: SocketAddress): string {
  return peer.family === 6 ? `[${peer.address}]:${peer.port}` : `${peer.address}:${peer.port}`;
}

/**
 * Resolves when `socket` is connected to `peer`: then only its datagrams come in, and "port unreachable" is
 * heard of.
 */
export async function connectSocket(socket: Socket, peer: SocketAddress): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // A failure comes to the callback or as an event, depending on the step that failed.
    socket.once('error', reject);
    socket.connect(peer.port, peer.address, (error?: Error) => {
      socket.removeListener('error', reject);
      if (error) reject(error);
      else resolve();
    });
  });
}
