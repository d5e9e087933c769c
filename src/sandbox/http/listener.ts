/**
 * A listening HTTP server; disposal closes all its connections. A handler that throws is a bug of the
 * sandbox: the error is logged and the client gets an empty 500.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface HttpListener {
  readonly port: number;
  /** Closes all connections and continues to listen. */
  restart(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly log: (line: string) => void;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Resolves when the port is bound; rejects if it cannot be. */
export async function listen(
  { host, port, log }: ListenOptions,
  handle: RequestHandler,
): Promise<HttpListener> {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      log(`http ${request.method}: ${error instanceof Error ? error.stack : String(error)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: boundPort(server),
    restart: () => server.closeAllConnections(),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function boundPort(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
