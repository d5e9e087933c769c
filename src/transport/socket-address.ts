/** IP address and port of a peer, its text form, and a UDP socket connected to it. */

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

/** A connected UDP socket receives only datagrams of `peer`, and reports "port unreachable" as an error. */
export async function connectSocket(socket: Socket, peer: SocketAddress): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // Node reports a failure to the callback or as an event, depending on the step that failed.
    socket.once('error', reject);
    socket.connect(peer.port, peer.address, (error?: Error) => {
      socket.removeListener('error', reject);
      if (error) reject(error);
      else resolve();
    });
  });
}
