/**
 * The ways themselves: each opened when it is first needed, and asked within a time after which it counts as silent.
 */

import { DEADLINE, LinkedAbort } from '../../core/async/abort.ts';
import type { Result } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Transport } from '../../core/ports/transport.ts';

export interface RoadTo {
  /** As logs show it. */
  readonly url: string;
  readonly isEncrypted: boolean;
  /** Called once, when it is first needed. */
  readonly open: () => Promise<Transport>;
}

export type Ask<T> = (transport: Transport, signal: AbortSignal) => Promise<Result<T>>;

export class Ways implements AsyncDisposable {
  readonly urls: readonly string[];
  readonly isEncrypted: readonly boolean[];
  readonly #roads: readonly RoadTo[];
  readonly #silentMs: number;
  readonly #clock: Clock;
  readonly #opened = new Map<number, Promise<Transport>>();

  constructor(roads: readonly RoadTo[], silentMs: number, clock: Clock) {
    this.#roads = roads;
    this.#silentMs = silentMs;
    this.#clock = clock;
    this.urls = roads.map(({ url }) => url);
    this.isEncrypted = roads.map(({ isEncrypted }) => isEncrypted);
  }

  transport(road: number): Promise<Transport> {
    const opened = this.#opened.get(road) ?? this.#roads[road]?.open();
    if (!opened) throw new Error(`roads: there is no road ${road}`);
    this.#opened.set(road, opened);
    return opened;
  }

  /** A road has less time than it would take for itself: there are others. */
  async ask<T>(road: number, ask: Ask<T>, signal: AbortSignal): Promise<Result<T>> {
    const transport = await this.transport(road);
    using limit = new LinkedAbort(signal);
    void this.#clock.sleep(this.#silentMs, limit.signal).then(() => limit.abort(DEADLINE));
    const result = await ask(transport, limit.signal);
    limit.abort();
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Of one that could not be opened, whoever wanted it has heard.
    for (const opened of this.#opened.values())
      await (await opened.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}
