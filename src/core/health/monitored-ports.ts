/**
 * What delivery asks of the outside world, watched: each request and each touch of a lane must be over within its time,
 * and whoever waits for a reading is heard of when it is nudged (progress.ts).
 *
 * Delivery has several requests under way at once and waits for readings as long as none come, so "when was its loop last
 * heard of" alone would miss a request that never ends. Changes nothing about what is asked and answered.
 */

import { LinkedAbort } from '../async/abort.ts';
import type { Lane, Outbox } from '../ports/outbox.ts';
import type { Transport } from '../ports/transport.ts';
import { DELIVERING_MS_MAX, DISK_MS_MAX, REQUEST_MS_MAX } from './deadlines.ts';
import type { Progress, Pulse } from './liveness.ts';

export function watchedTransport(transport: Transport, progress: Progress): Transport {
  const posting = <T>(act: () => Promise<T>) => progress.within('a post to the server', REQUEST_MS_MAX, act);
  return {
    provision: (request, keep, signal) => transport.provision(request, keep, signal),
    probe: (token, signal) => transport.probe(token, signal),
    postTelemetry: (token, body, signal) => posting(() => transport.postTelemetry(token, body, signal)),
    postAttributes: (token, body, signal) => posting(() => transport.postAttributes(token, body, signal)),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

export class WatchedOutbox implements Outbox {
  readonly fresh: Lane;
  readonly backlog: Lane;
  readonly #outbox: Outbox;
  readonly #pulse: Pulse;

  constructor(outbox: Outbox, progress: Progress, pulse: Pulse) {
    this.#outbox = outbox;
    this.#pulse = pulse;
    this.fresh = watchedLane(outbox.fresh, progress);
    this.backlog = watchedLane(outbox.backlog, progress);
  }

  get wantsFull(): boolean {
    return this.#outbox.wantsFull;
  }

  get losses(): Outbox['losses'] {
    return this.#outbox.losses;
  }

  get version(): number {
    return this.#outbox.version;
  }

  async waitForChange(since: number, signal: AbortSignal): Promise<void> {
    using wait = new LinkedAbort(signal);
    const goesOn = this.#pulse.idle('waiting for a reading', () => wait.abort());
    await this.#outbox.waitForChange(since, wait.signal);
    goesOn('delivering', DELIVERING_MS_MAX);
  }

  append: Outbox['append'] = (reading) => this.#outbox.append(reading);
  offerLive: Outbox['offerLive'] = () => this.#outbox.offerLive();
  settleLive: Outbox['settleLive'] = (reading, delivered) => this.#outbox.settleLive(reading, delivered);
  anchor: Outbox['anchor'] = (offsetMs) => this.#outbox.anchor(offsetMs);
  loseReading: Outbox['loseReading'] = (reading, why) => this.#outbox.loseReading(reading, why);
  tellLosses: Outbox['tellLosses'] = () => this.#outbox.tellLosses();
  keep: Outbox['keep'] = (signal) => this.#outbox.keep(signal);
}

function watchedLane(lane: Lane, progress: Progress): Lane {
  const touching = <T>(act: () => Promise<T>) => progress.within('the readings that wait', DISK_MS_MAX, act);
  return {
    get size() {
      return lane.size;
    },
    get epoch() {
      return lane.epoch;
    },
    take: (max) => touching(() => lane.take(max)),
    acknowledge: (count, epoch) => touching(() => lane.acknowledge(count, epoch)),
    rewind: () => lane.rewind(),
  };
}
