/**
 * The connections of a client to its origin: made by the dialer, kept and used again, and let go when they may be dead.
 *
 * At most as many as delivery has requests under way, and closed after less idle time than servers have (or as the server's
 * Keep-Alive header says). One that is kept has nothing to say: should something come over it, an answer nobody asked for or a
 * farewell, it is closed, so that it is never read as the answer to the next request.
 */

import { Agent, type ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Dialer } from './dial.ts';
import { FailureError } from './socket-result.ts';

/** What delivery has under way at once (core/delivery.ts): what is fresh, the facts, the backlog. */
const CONNECTIONS_MAX = 4;
/** nginx keeps an idle connection for 75 s, ThingsBoard for 60 s, most NATs for longer, ms. */
const IDLE_TIMEOUT_MS = 50_000;
/** After so long without traffic the kernel asks whether the other end is there: longer than a connection is idle. */
const KEEP_ALIVE_DELAY_MS = 60_000;

export class ConnectionPool implements Disposable {
  readonly agent: Agent;
  readonly #closed = new AbortController();

  constructor(dialer: Dialer) {
    this.agent = new Agent({
      keepAlive: true,
      keepAliveMsecs: KEEP_ALIVE_DELAY_MS,
      maxSockets: CONNECTIONS_MAX,
      maxFreeSockets: CONNECTIONS_MAX,
      timeout: IDLE_TIMEOUT_MS,
    });
    this.agent.createConnection = (_options, callback) => {
      void dialer.open(this.#closed.signal).then((opened) => {
        // Without a connection Node looks at the error only.
        if (opened.ok) callback?.(null, opened.value);
        else (callback as ((error: Error) => void) | undefined)?.(new FailureError(opened.failure));
      });
      return undefined;
    };
    closeOnUnexpectedData(this.agent);
  }

  /** No kept connection is trusted any more: the next request has a fresh one. */
  dropIdle(): void {
    for (const sockets of Object.values(this.agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
    this.agent.destroy();
  }
}

/** By the two points at which Node says that a connection is kept, and used again. */
function closeOnUnexpectedData(agent: Agent): void {
  const keepSocketAlive = agent.keepSocketAlive;
  const reuseSocket = agent.reuseSocket;
  agent.keepSocketAlive = (socket) => {
    socket.on('data', destroySocket);
    return keepSocketAlive.call(agent, socket);
  };
  agent.reuseSocket = (socket, request: ClientRequest) => {
    socket.off('data', destroySocket);
    reuseSocket.call(agent, socket, request);
  };
}

function destroySocket(this: Pick<Socket, 'destroy'>): void {
  this.destroy();
}
