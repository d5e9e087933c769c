/**
 * The endpoints of one server: opens each one when it is first needed and limits the time of its requests.
 */

import { ChildAbortController, DEADLINE } from '../../core/async/abort.ts';
import type { Result } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Transport } from '../../core/ports/transport.ts';

export interface EndpointConfig {
  /** The URL as the log shows it. */
  readonly url: string;
  readonly isEncrypted: boolean;
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
