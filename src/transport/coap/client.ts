/**
 * Sends one CoAP request and returns its response or failure. The only file that imports the library `coap`,
 * which builds requests and parses responses; the message layer below it owns timers, retransmission and
 * acknowledgement. The library must abort a request without a response exactly once: a second abort breaks
 * its counters.
 */

import { Agent, type IncomingMessage, updateTiming } from 'coap';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, RETRY_AFTER_MS_MAX } from '../../core/failures/failure.ts';
import type { MessageLayer } from './message-layer.ts';
import type { RetransmissionTiming, RetransmitPolicy } from './retransmission-timing.ts';
import { RtoEstimator } from './rto-estimator.ts';

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
  /** True: see `ExchangeSettings`. */
  readonly isNonConfirmable?: boolean;
  /** True: a confirmable response is acknowledged only when the caller calls `acknowledge`. */
  readonly deferAcknowledgement?: boolean;
}

export interface CoapResponse {
  readonly code: string;
  readonly contentFormat: number | undefined;
  readonly body: Buffer;
  /** False if the body has further blocks, which are not fetched. */
  readonly isComplete: boolean;
  /** It has no option and no payload. */
  readonly isBare: boolean;
  /** Wait that the server requests by Max-Age, ms. */
  readonly retryAfterMs: number | undefined;
  readonly acknowledge: () => void;
}

/**
 * Raises the library's own exchange timeout (247 s) above every timeout of the message layer. Seconds, one
 * way.
 */
const LIBRARY_MAX_LATENCY_S = 600;

export class CoapClient {
  readonly messageLayer: MessageLayer;
  /** Belongs to the path to this peer and may be older than the socket. */
  readonly rtoEstimator: RtoEstimator;
  readonly #library: Agent;

  constructor(messageLayer: MessageLayer, rtoEstimator: RtoEstimator = new RtoEstimator()) {
    // Timing is global in the library.
    updateTiming({ maxLatency: LIBRARY_MAX_LATENCY_S });
    this.messageLayer = messageLayer;
    this.rtoEstimator = rtoEstimator;
    this.#library = new Agent({ socket: messageLayer.librarySocket });
    this.#library.on('error', () => {}); // without a listener, a socket error ends the process
  }

  async request(
    request: CoapRequest,
    timing: RetransmissionTiming,
    signal: AbortSignal,
  ): Promise<Result<CoapResponse>> {
    if (signal.aborted) return aborted();
    const token = this.messageLayer.newToken();
    const { policy, isIdempotent = true, isNonConfirmable = false, deferAcknowledgement = false } = request;
    const { rtoEstimator } = this;
    const tokenHex = token.toString('hex');
    const exchange = this.messageLayer.openExchange({
      token: tokenHex,
      policy,
      timing,
      rtoEstimator,
      isIdempotent,
      isNonConfirmable,
      deferAcknowledgement,
    });
    const abort = () => exchange.fail(aborted().failure);
    signal.addEventListener('abort', abort);
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
    const outcome = await exchange.outcome;
    signal.removeEventListener('abort', abort);
    if (!received) this.#library.abort(outgoing);
    if (outcome.type === 'failed') return { ok: false, failure: outcome.failure };
    const { acknowledge, response } = outcome;
    const { code, contentFormat, isComplete, isBare, maxAgeS, payload } = response;
    const body = received?.payload ?? payload;
    const retryAfterMs = maxAgeS === undefined ? undefined : Math.min(maxAgeS * 1000, RETRY_AFTER_MS_MAX);
    return { ok: true, value: { code, contentFormat, body, isComplete, isBare, retryAfterMs, acknowledge } };
  }
}
