/** Terminates TLS in front of a plain server, byte for byte, like a proxy in front of ThingsBoard. */

import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';

export interface TlsFront extends AsyncDisposable {
  readonly port: number;
  /** Completed handshakes, and how many of them resumed a session. */
  readonly handshakes: { all: number; resumed: number };
  /** The decrypted data of all connections. */
  readonly received: () => string;
  /** Ends every connection. */
  truncate(): void;
}

/** `to`: the port of the plain server on 127.0.0.1. */
export async function openTlsFront(to: number, options: TlsOptions, host = '127.0.0.1'): Promise<TlsFront> {
  const sockets = new Set<{ destroy(): void }>();
  const handshakes = { all: 0, resumed: 0 };
  let received = '';
  const server = createServer(options, (socket: TLSSocket) => {
    handshakes.all += 1;
    if (socket.isSessionReused()) handshakes.resumed += 1;
    const backend = connect(to, '127.0.0.1');
    for (const each of [socket, backend]) {
      sockets.add(each);
      each.on('error', () => {});
      each.on('close', () => {
        sockets.delete(each);
        socket.destroy();
        backend.destroy();
      });
    }
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
    });
    socket.pipe(backend).pipe(socket);
  });
  server.on('tlsClientError', () => {});
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  const truncate = () => {
    for (const socket of sockets) socket.destroy();
  };
  let closing: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    handshakes,
    received: () => received,
    truncate,
    [Symbol.asyncDispose]: () => {
      closing ??= new Promise<void>((resolve) => {
        server.close(() => resolve());
        truncate();
      });
      return closing;
    },
  };
}
