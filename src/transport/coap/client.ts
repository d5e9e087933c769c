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
import type { GuardSocket } from './message-layer.ts';
import type { Patience, Timing } from './retransmission.ts';
import { RoundTrip } from './rto-estimator.ts';

export interface CoapRequest {
  readonly method: 'GET' | 'POST';
  /** `/api/v1/…`; each segment becomes one Uri-Path option. */
  readonly path: string;
  /** `a=1&b=2`; each item becomes one Uri-Query option. */
  readonly query?: string;
  /** JSON text; sent with Content-Format 50. */
  readonly body?: string;
  readonly patience: Patience;
  /** True: a confirmable answer is acknowledged only when the caller says so. */
  readonly confirmLater?: boolean;
}

export interface CoapAnswer {
  readonly code: string;
  readonly contentFormat: number | undefined;
  readonly body: Buffer;
  /** False when the server holds more of the body than came in this datagram. */
  readonly whole: boolean;
  readonly confirm: () => void;
}

/** The library gives up after its own exchange lifetime (247 s); we always do it first. Seconds, one way. */
const LIBRARY_LATENCY_S = 600;

/** A conversation over one guard socket. */
export class CoapClient {
  readonly guard: GuardSocket;
  /** What the exchanges have told of the road to this peer; it may be older than the socket. */
  readonly roundTrip: RoundTrip;
  readonly #library: Agent;

  constructor(guard: GuardSocket, roundTrip: RoundTrip = new RoundTrip()) {
    // Timing is global in the library; it is set here, to the same value each time, and nowhere else.
    updateTiming({ maxLatency: LIBRARY_LATENCY_S });
    this.guard = guard;
    this.roundTrip = roundTrip;
    this.#library = new Agent({ socket: guard.forLibrary });
    this.#library.on('error', () => {}); // without a listener a socket error would end the process
  }

  async request(request: CoapRequest, timing: Timing, signal: AbortSignal): Promise<Result<CoapAnswer>> {
    if (signal.aborted) return aborted();
    const token = randomBytes(8);
    const { patience, confirmLater = false } = request;
    const { roundTrip } = this;
    const known = token.toString('hex');
    const exchange = this.guard.expect({ token: known, patience, timing, roundTrip, confirmLater });
    const stop = () => exchange.refuse(aborted().refusal);
    signal.addEventListener('abort', stop);
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
      exchange.refuse({ reason: 'unsendable', detail: 'the CoAP library would not send it' }),
    );
    outgoing.end(request.body === undefined ? undefined : Buffer.from(request.body));
    const outcome = await exchange.outcome;
    signal.removeEventListener('abort', stop);
    if (!received) this.#library.abort(outgoing);
    if (outcome.type === 'refused') return { ok: false, refusal: outcome.refusal };
    const { code, contentFormat, whole } = outcome.answer;
    const body = received?.payload ?? outcome.answer.payload;
    return { ok: true, value: { code, contentFormat, body, whole, confirm: outcome.confirm } };
  }
}
