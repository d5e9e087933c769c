/**
 * Ports with liveness checks for delivery: each request and each access to a lane has a deadline. Delivery has
 * several requests in flight, so the heartbeat of its loop alone would not reveal a request that never ends.
 */

import type { Lane, Outbox } from '../ports/outbox.ts';
import type { Transport } from '../ports/transport.ts';
import { DISK_MS_MAX, REQUEST_MS_MAX } from './deadlines.ts';
import type { Liveness } from './liveness.ts';

export function monitorTransport(transport: Transport, liveness: Liveness): Transport {
  const trackPost = <T>(operation: () => Promise<T>) =>
    liveness.track('a post to the server', REQUEST_MS_MAX, operation);
  return {
    provision: (request, persist, signal) => transport.provision(request, persist, signal),
    probe: (token, signal) => transport.probe(token, signal),
    bodyBytesMax: (token) => transport.bodyBytesMax(token),
    postTelemetry: (token, body, signal) => trackPost(() => transport.postTelemetry(token, body, signal)),
    postAttributes: (token, body, signal) => trackPost(() => transport.postAttributes(token, body, signal)),
    // Of the downlink, which must not stop the watchdog notifications (restart-stalled.ts).
    listen: (token, subscriptions, listener, signal) =>
      transport.listen(token, subscriptions, listener, signal),
    reply: (token, commandId, body, signal) => transport.reply(token, commandId, body, signal),
    downloadChunk: (token, chunk, signal) => transport.downloadChunk(token, chunk, signal),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

export class MonitoredOutbox implements Outbox {
  readonly fresh: Lane;
  readonly backlog: Lane;
  readonly #outbox: Outbox;

  constructor(outbox: Outbox, liveness: Liveness) {
    this.#outbox = outbox;
    this.fresh = monitorLane(outbox.fresh, liveness);
    this.backlog = monitorLane(outbox.backlog, liveness);
  }

  get needsSnapshot(): boolean {
    return this.#outbox.needsSnapshot;
  }

  get losses(): Outbox['losses'] {
    return this.#outbox.losses;
  }

  get changes(): Outbox['changes'] {
    return this.#outbox.changes;
  }

  append: Outbox['append'] = (reading) => this.#outbox.append(reading);
  takeUndated: Outbox['takeUndated'] = () => this.#outbox.takeUndated();
  completeUndated: Outbox['completeUndated'] = (reading, delivered) =>
    this.#outbox.completeUndated(reading, delivered);
  setBootOffset: Outbox['setBootOffset'] = (offsetMs) => this.#outbox.setBootOffset(offsetMs);
  discardReading: Outbox['discardReading'] = (reading, reason) =>
    this.#outbox.discardReading(reading, reason);
  reportLosses: Outbox['reportLosses'] = () => this.#outbox.reportLosses();
  run: Outbox['run'] = (signal) => this.#outbox.run(signal);
}

function monitorLane(lane: Lane, liveness: Liveness): Lane {
  const trackAccess = <T>(operation: () => Promise<T>) =>
    liveness.track('access to queued readings', DISK_MS_MAX, operation);
  return {
    get size() {
      return lane.size;
    },
    get epoch() {
      return lane.epoch;
    },
    take: (max) => trackAccess(() => lane.take(max)),
    acknowledge: (count, epoch) => trackAccess(() => lane.acknowledge(count, epoch)),
    rewind: () => lane.rewind(),
  };
}
