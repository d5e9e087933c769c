/** IP address and port of a peer, and its text form. */

export interface SocketAddress {
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
}

/** `192.0.2.7:5683` or `[2001:db8::7]:5683`. */
export function formatAddress(peer: SocketAddress): string {
  return peer.family === 6 ? `[${peer.address}]:${peer.port}` : `${peer.address}:${peer.port}`;
}
