/**
 * Sends requests by the CoAP library, which builds them and parses their responses; the message layer below it
 * owns timers, retransmission and acknowledgement. The only file that imports the library. It is loaded at the
 * first such request: after a start with credentials usually never.
 *
 * The library must abort a request without a response exactly once: a second abort breaks its counters.
 */

import { Agent, type IncomingMessage, updateTiming } from 'coap';
import type { Exchange } from './confirmable-exchange.ts';
import type { MessageLayer } from './message-layer.ts';
import type { RetransmitPolicy } from './retransmission-timing.ts';

export interface CoapRequest {
  readonly method: 'GET' | 'POST';
  /** Each segment becomes one Uri-Path option, whatever its characters. */
  readonly path: readonly string[];
  /** `a=1&b=2`; each item becomes one Uri-Query option. */
  readonly query?: string;
  /** JSON text; sent with Content-Format 50. */
  readonly body?: string;
  readonly policy: RetransmitPolicy;
  /** False: the server must not execute it twice. Default: true. */
  readonly isIdempotent?: boolean;
  /** True: a confirmable response is acknowledged only when the caller calls `acknowledge`. */
  readonly deferAcknowledgement?: boolean;
}

/**
 * Raises the library's own exchange timeout (247 s) above every timeout of the message layer. Seconds, one
 * way.
 */
const LIBRARY_MAX_LATENCY_S = 600;

export class LibraryRequests {
  readonly #library: Agent;

  constructor(messageLayer: MessageLayer) {
    // Timing is global in the library.
    updateTiming({ maxLatency: LIBRARY_MAX_LATENCY_S });
    this.#library = new Agent({ socket: messageLayer.librarySocket });
    this.#library.on('error', () => {}); // without a listener, a socket error ends the process
  }

  /** Sends the request of the open exchange with this token; resolves with the body of the response after the exchange. */
  async send(request: CoapRequest, token: Buffer, exchange: Exchange): Promise<Buffer | undefined> {
    let received: IncomingMessage | undefined;
    const outgoing = this.#library.request({
      method: request.method,
      ...(request.query !== undefined && { query: request.query }),
      ...(request.body !== undefined && { options: { 'Content-Format': 'application/json' } }),
      confirmable: true,
      retrySend: 0,
      token,
    });
    // Not by the path of the library, which splits a token that contains a slash.
    outgoing.setOption(
      'Uri-Path',
      request.path.map((segment) => Buffer.from(segment)),
    );
    outgoing.on('response', (message: IncomingMessage) => {
      received = message;
    });
    outgoing.on('error', () =>
      exchange.fail({ reason: 'request-build-failed', detail: 'the CoAP library cannot encode the request' }),
    );
    outgoing.end(request.body === undefined ? undefined : Buffer.from(request.body));
    await exchange.outcome;
    if (!received) this.#library.abort(outgoing);
    return received?.payload;
  }
}
