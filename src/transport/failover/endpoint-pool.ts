/**
 * The ways themselves: each opened when it is first needed, and asked within a time after which it counts as silent.
 */

import { ChildAbortController, DEADLINE } from '../../core/async/abort.ts';
import type { Result } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Transport } from '../../core/ports/transport.ts';

export interface EndpointConfig {
  /** As logs show it. */
  readonly url: string;
  readonly isEncrypted: boolean;
  /** Called once, when it is first needed. */
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
    if (!transport) throw new Error(`roads: there is no road ${endpoint}`);
    this.#opened.set(endpoint, transport);
    return transport;
  }

  /** A road has less time than it would take for itself: there are others. */
  async request<T>(endpoint: number, request: TransportRequest<T>, signal: AbortSignal): Promise<Result<T>> {
    const transport = await this.transport(endpoint);
    using requestAbort = new ChildAbortController(signal);
    void this.#clock.sleep(this.#timeoutMs, requestAbort.signal).then(() => requestAbort.abort(DEADLINE));
    const result = await request(transport, requestAbort.signal);
    requestAbort.abort();
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Of one that could not be opened, whoever wanted it has heard.
    for (const transport of this.#opened.values())
      await (await transport.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}
