/**
 * The connections of a client to its origin: opened by the dialer, reused, and closed before the server
 * closes them (or as its Keep-Alive header says). An idle connection that receives data is closed, so that
 * the data is never read as the response to the next request.
 */

import { Agent, type ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { FailureError } from '../network-failure.ts';
import type { Dialer } from './dial.ts';

/** Concurrent requests of the delivery: fresh and undated readings, attributes, backlog. */
const DELIVERY_REQUESTS_MAX = 4;
/** Of the downlink: two long polls, and one read of attributes or one reply. They must not delay the delivery. */
const DOWNLINK_REQUESTS_MAX = 3;
const CONNECTIONS_MAX = DELIVERY_REQUESTS_MAX + DOWNLINK_REQUESTS_MAX;
/** nginx closes an idle connection after 75 s, ThingsBoard after 60 s, most NATs later, ms. */
const IDLE_TIMEOUT_MS = 50_000;
/** Idle time before TCP keep-alive probes, ms; longer than the idle timeout. */
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
        // Node ignores the second argument if there is an error.
        if (opened.ok) callback?.(null, opened.value);
        else (callback as ((error: Error) => void) | undefined)?.(new FailureError(opened.failure));
      });
      return undefined;
    };
    closeOnUnexpectedData(this.agent);
  }

  /** Closes all idle connections, so that the next request opens a new one. */
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

/** Hooks the two methods that Node calls when a connection becomes idle and when it is reused. */
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
