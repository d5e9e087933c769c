/**
 * The CoAP library as one function: a request in, an answer or a refusal out. The only file that imports
 * `coap`.
 *
 * The library builds the datagram and reads the answer; the guard socket under it owns time, repetition and
 * acknowledgement. One request ends exactly once, by the exchange's outcome; a request without an answer is
 * aborted in the library exactly once, because aborting twice, or after an answer, breaks its counters.
 */

import { randomBytes } from 'node:crypto';
import { Agent, type IncomingMessage, updateTiming } from 'coap';
import type { Result } from '../../core/failures/failure.ts';
import { aborted } from '../../core/failures/failure.ts';
import type { MessageLayer } from './message-layer.ts';
import type { RetransmissionTiming, RetransmitPolicy } from './retransmission.ts';
import { RtoEstimator } from './rto-estimator.ts';

export interface CoapRequest {
  readonly method: 'GET' | 'POST';
  /** `/api/v1/…`; each segment becomes one Uri-Path option. */
  readonly path: string;
  /** `a=1&b=2`; each item becomes one Uri-Query option. */
  readonly query?: string;
  /** JSON text; sent with Content-Format 50. */
  readonly body?: string;
  readonly policy: RetransmitPolicy;
  /** True: a confirmable answer is acknowledged only when the caller says so. */
  readonly deferAcknowledgement?: boolean;
}

export interface CoapResponse {
  readonly code: string;
  readonly contentFormat: number | undefined;
  readonly body: Buffer;
  /** False when the server holds more of the body than came in this datagram. */
  readonly isComplete: boolean;
  readonly acknowledge: () => void;
}

/** The library gives up after its own exchange lifetime (247 s); we always do it first. Seconds, one way. */
const LIBRARY_MAX_LATENCY_S = 600;

/** A conversation over one guard socket. */
export class CoapClient {
  readonly messageLayer: MessageLayer;
  /** What the exchanges have told of the road to this peer; it may be older than the socket. */
  readonly rtoEstimator: RtoEstimator;
  readonly #library: Agent;

  constructor(messageLayer: MessageLayer, rtoEstimator: RtoEstimator = new RtoEstimator()) {
    // Timing is global in the library; it is set here, to the same value each time, and nowhere else.
    updateTiming({ maxLatency: LIBRARY_MAX_LATENCY_S });
    this.messageLayer = messageLayer;
    this.rtoEstimator = rtoEstimator;
    this.#library = new Agent({ socket: messageLayer.librarySocket });
    this.#library.on('error', () => {}); // without a listener a socket error would end the process
  }

  async request(
    request: CoapRequest,
    timing: RetransmissionTiming,
    signal: AbortSignal,
  ): Promise<Result<CoapResponse>> {
    if (signal.aborted) return aborted();
    const token = randomBytes(8);
    const { policy, deferAcknowledgement = false } = request;
    const { rtoEstimator } = this;
    const tokenHex = token.toString('hex');
    const exchange = this.messageLayer.openExchange({
      token: tokenHex,
      policy,
      timing,
      rtoEstimator,
      deferAcknowledgement,
    });
    const abort = () => exchange.fail(aborted().failure);
    signal.addEventListener('abort', abort);
    let received: IncomingMessage | undefined;
    const outgoing = this.#library.request({
      method: request.method,
      pathname: request.path,
      ...(request.query !== undefined && { query: request.query }),
      ...(request.body !== undefined && { options: { 'Content-Format': 'application/json' } }),
      confirmable: true,
      retrySend: 0,
      token,
    });
    outgoing.on('response', (message: IncomingMessage) => {
      received = message;
    });
    outgoing.on('error', () =>
      exchange.fail({ reason: 'request-build-failed', detail: 'the CoAP library would not send it' }),
    );
    outgoing.end(request.body === undefined ? undefined : Buffer.from(request.body));
    const outcome = await exchange.outcome;
    signal.removeEventListener('abort', abort);
    if (!received) this.#library.abort(outgoing);
    if (outcome.type === 'failed') return { ok: false, failure: outcome.failure };
    const { code, contentFormat, isComplete } = outcome.response;
    const body = received?.payload ?? outcome.response.payload;
    return { ok: true, value: { code, contentFormat, body, isComplete, acknowledge: outcome.acknowledge } };
  }
}
