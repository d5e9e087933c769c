/**
 * A listening HTTP server as a disposable: bound when the promise resolves, all connections cut when it is disposed.
 *
 * A handler that throws is a bug of the sandbox; the client gets an empty 500 and the log says so.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface HttpListener {
  readonly port: number;
  /** A restarted server drops its connections and listens on. */
  restart(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly log: (line: string) => void;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Rejects when the port cannot be bound. */
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
