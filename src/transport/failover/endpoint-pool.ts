/**
 * The endpoints of one server: opens each one when it is first needed and limits the time of its requests.
 */

import { ChildAbortController, DEADLINE } from '../../core/async/abort.ts';
import { BODY_BYTES_MAX } from '../../core/delivery/encode.ts';
import type { Failure, Result } from '../../core/failures/failure.ts';
import type { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Transport } from '../../core/ports/transport.ts';
import { type TokenObstacle, unsuitableToken } from '../token-checks.ts';

export interface EndpointConfig {
  /** The URL as the log shows it. */
  readonly url: string;
  readonly isEncrypted: boolean;
  readonly obstacleOf: TokenObstacle;
  /** The longest body of a post with the token, bytes. Absent: what fits a datagram. */
  readonly bodyBytesMax?: (token: Secret) => number;
  /** Called at most once, when the endpoint is first needed. */
  readonly open: () => Promise<Transport>;
}

export type TransportRequest<T> = (transport: Transport, signal: AbortSignal) => Promise<Result<T>>;

export class EndpointPool implements AsyncDisposable {
  readonly urls: readonly string[];
  readonly isEncrypted: readonly boolean[];
  readonly #endpoints: readonly EndpointConfig[];
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #opened = new Map<number, Promise<Transport>>();

  constructor(endpoints: readonly EndpointConfig[], timeoutMs: number, clock: Clock) {
    this.#endpoints = endpoints;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.urls = endpoints.map(({ url }) => url);
    this.isEncrypted = endpoints.map(({ isEncrypted }) => isEncrypted);
  }

  transport(endpoint: number): Promise<Transport> {
    const transport = this.#opened.get(endpoint) ?? this.#endpoints[endpoint]?.open();
    if (!transport) throw new Error(`failover: no endpoint with index ${endpoint}`);
    this.#opened.set(endpoint, transport);
    return transport;
  }

  /** Why the endpoint cannot be used with the token; undefined if it can. */
  tokenFailure(endpoint: number, token: Secret): Failure | undefined {
    const config = this.#endpoints[endpoint];
    return config && unsuitableToken(token, config.obstacleOf);
  }

  /** What every endpoint can carry: a batch that one has refused goes to another one unchanged. */
  bodyBytesMax(token: Secret): number {
    return Math.min(...this.#endpoints.map(({ bodyBytesMax }) => bodyBytesMax?.(token) ?? BODY_BYTES_MAX));
  }

  /** Aborts the request after `timeoutMs`, which is shorter than the transport's own timeout. */
  async request<T>(endpoint: number, request: TransportRequest<T>, signal: AbortSignal): Promise<Result<T>> {
    const transport = await this.transport(endpoint);
    using requestAbort = new ChildAbortController(signal);
    void this.#clock.sleep(this.#timeoutMs, requestAbort.signal).then(() => requestAbort.abort(DEADLINE));
    const result = await request(transport, requestAbort.signal);
    requestAbort.abort();
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The caller of `transport` has already received the error of an endpoint that failed to open.
    for (const transport of this.#opened.values())
      await (await transport.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}

/** A verification expires after this time, because the device may have been deleted in the meantime, ms. */
const VERIFICATION_TTL_MS = 24 * 3_600_000;

/**
 * Which endpoints have accepted the access token, and when. Distinguishes a token that the server has deleted
 * from an endpoint that leads to another server.
 */
export class VerifiedTokens {
  readonly #byEndpoint = new Map<number, { readonly token: Secret; readonly atMs: number }>();

  add(endpoint: number, token: Secret, nowMs: number): void {
    this.#byEndpoint.set(endpoint, { token, atMs: nowMs });
  }

  /** The endpoint no longer accepts the token. */
  remove(endpoint: number): void {
    this.#byEndpoint.delete(endpoint);
  }

  has(endpoint: number, token: Secret): boolean {
    return this.#byEndpoint.get(endpoint)?.token.equals(token) ?? false;
  }

  /** Whether another endpoint has accepted the token within the last 24 hours. */
  isVerifiedElsewhere(endpoint: number, token: Secret, nowMs: number): boolean {
    return [...this.#byEndpoint].some(
      ([other, entry]) =>
        other !== endpoint && entry.token.equals(token) && nowMs - entry.atMs < VERIFICATION_TTL_MS,
    );
  }
}
