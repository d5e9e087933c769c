/**
 * Reporting: keeps the report current for whoever reads it, at next to no cost.
 *
 * It is shown at most every ten seconds, and only when it says something else; a change of state is shown at once, but not
 * more often than every two seconds, so that a server that comes and goes costs no more than that. Beside the loops and never
 * in their way: nobody waits for it.
 */

import { AsyncSignal } from '../async/async-signal.ts';
import type { Clock } from '../ports/clock.ts';
import type { Timestamper } from '../timestamps/timestamper.ts';
import type { EventHistory } from './event-history.ts';
import type { StatusReport, StatusSink } from './report.ts';
import type { OutboxSizes, Status } from './status.ts';

export interface PublisherPorts {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly outbox: OutboxSizes;
  readonly timestamper: Pick<Timestamper, 'clockState'>;
  readonly status: Pick<Status, 'subscribe' | 'connection'>;
  readonly sink: StatusSink;
  readonly eventHistory: EventHistory;
}

/** The server by its URLs. */
export interface EndpointNames {
  /** The first of the list. */
  readonly preferred: string;
  /** That of the road in use now. */
  readonly inUse: () => string;
}

const INTERVAL_MS = 10_000;
const INTERVAL_MS_MIN = 2_000;

/** Ends with the signal; rejects only when the board has a bug. */
export async function publishStatus(
  ports: PublisherPorts,
  endpoints: EndpointNames,
  signal: AbortSignal,
): Promise<void> {
  const { clock, status, sink } = ports;
  const changes = new AsyncSignal();
  status.subscribe(() => changes.notify());
  let published = '';
  while (!signal.aborted) {
    const { version } = changes;
    const current = createReport(ports, endpoints);
    const text = JSON.stringify(current);
    if (text !== published) await sink.publish(current);
    published = text;
    await clock.sleep(INTERVAL_MS_MIN, signal);
    await changes.waitUpTo(INTERVAL_MS - INTERVAL_MS_MIN, clock, signal, version);
  }
}

function createReport(
  { outbox, timestamper, status, eventHistory }: PublisherPorts,
  { preferred, inUse }: EndpointNames,
): StatusReport {
  const endpoint = inUse();
  const { recent: events, active: open, counts } = eventHistory;
  return {
    ...status.connection,
    endpoint,
    ...(endpoint !== preferred && { preferredEndpoint: preferred }),
    freshReadings: outbox.fresh.size,
    backlogReadings: outbox.backlog.size,
    lostReadings: outbox.losses.total,
    clock: timestamper.clockState,
    recentEvents: events,
    openEvents: open,
    eventCounts: counts,
  };
}
