/**
 * Sends one CoAP request and returns its response or failure; the message layer owns timers, retransmission and
 * acknowledgement. Posts of a device are encoded here, because they are frequent and cost 1.7 times the CPU by the
 * CoAP library (docs/decisions/0012), which sends all other requests (library-requests.ts).
 */

import type { Result } from '../../core/failures/failure.ts';
import { aborted, RETRY_AFTER_MS_MAX } from '../../core/failures/failure.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import type { Exchange } from './confirmable-exchange.ts';
import type { CoapRequest, LibraryRequests } from './library-requests.ts';
import type { MessageLayer } from './message-layer.ts';
import type { RetransmissionTiming } from './retransmission-timing.ts';
import { RtoEstimator } from './rto-estimator.ts';

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

/** Telemetry or attributes of a device. */
export interface DevicePost {
  readonly path: readonly string[];
  /** JSON text. */
  readonly body: string;
  readonly isIdempotent: boolean;
  /** True: see `ExchangeSettings`. */
  readonly isNonConfirmable: boolean;
}

export class CoapClient {
  readonly messageLayer: MessageLayer;
  /** Belongs to the path to this peer and may be older than the socket. */
  readonly rtoEstimator: RtoEstimator;
  #library: LibraryRequests | undefined;

  constructor(messageLayer: MessageLayer, rtoEstimator: RtoEstimator = new RtoEstimator()) {
    this.messageLayer = messageLayer;
    this.rtoEstimator = rtoEstimator;
  }

  async request(
    request: CoapRequest,
    timing: RetransmissionTiming,
    signal: AbortSignal,
  ): Promise<Result<CoapResponse>> {
    if (signal.aborted) return aborted();
    const { policy, isIdempotent = true, deferAcknowledgement = false } = request;
    const token = this.messageLayer.newToken();
    // Before the library is loaded, because an open exchange keeps the socket.
    const exchange = this.messageLayer.openExchange({
      token: token.toString('hex'),
      policy,
      timing,
      rtoEstimator: this.rtoEstimator,
      isIdempotent,
      deferAcknowledgement,
    });
    const body = this.#sendByLibrary(request, token, exchange);
    const response = await responseOf(exchange, signal);
    const received = await body;
    return response.ok && received ? { ok: true, value: { ...response.value, body: received } } : response;
  }

  async post(
    { path, body, isIdempotent, isNonConfirmable }: DevicePost,
    timing: RetransmissionTiming,
    signal: AbortSignal,
  ): Promise<Result<CoapResponse>> {
    if (signal.aborted) return aborted();
    const token = this.messageLayer.newToken().toString('hex');
    const exchange = this.messageLayer.sendRequest(
      { method: 'POST', token, path, payload: Buffer.from(body), isNonConfirmable },
      {
        policy: 'retryable',
        timing,
        rtoEstimator: this.rtoEstimator,
        isIdempotent,
        isNonConfirmable,
        deferAcknowledgement: false,
      },
    );
    return responseOf(exchange, signal);
  }

  async #sendByLibrary(request: CoapRequest, token: Buffer, exchange: Exchange): Promise<Buffer | undefined> {
    try {
      const { LibraryRequests } = await import('./library-requests.ts');
      this.#library ??= new LibraryRequests(this.messageLayer);
      return exchange.isFinished ? undefined : await this.#library.send(request, token, exchange);
    } catch (error) {
      const detail = `the CoAP library failed: ${errorMessage(error)}`;
      exchange.fail({ reason: 'request-build-failed', detail });
      return undefined;
    }
  }
}

async function responseOf(exchange: Exchange, signal: AbortSignal): Promise<Result<CoapResponse>> {
  const abort = () => exchange.fail(aborted().failure);
  signal.addEventListener('abort', abort);
  const outcome = await exchange.outcome;
  signal.removeEventListener('abort', abort);
  if (outcome.type === 'failed') return { ok: false, failure: outcome.failure };
  const { acknowledge, response } = outcome;
  const { code, contentFormat, isComplete, isBare, maxAgeS, payload } = response;
  const retryAfterMs = maxAgeS === undefined ? undefined : Math.min(maxAgeS * 1000, RETRY_AFTER_MS_MAX);
  const value = { code, contentFormat, body: payload, isComplete, isBare, retryAfterMs, acknowledge };
  return { ok: true, value };
}
