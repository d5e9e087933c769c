/**
 * Publishes the status report at little cost: at most every ten seconds and only if it changed; a change of
 * state at once, but at most every two seconds. Nothing waits for it.
 */

import { AsyncSignal } from '../async/async-signal.ts';
import type { DownlinkStatus } from '../downlink/downlink-status.ts';
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
  /** Absent if the agent does not listen to the server. */
  readonly downlinkStatus?: Pick<DownlinkStatus, 'report'> | undefined;
}

/** URLs of the server. */
export interface EndpointNames {
  /** The first URL of the list. */
  readonly preferred: string;
  /** The URL in use now. */
  readonly inUse: () => string;
}

const INTERVAL_MS = 10_000;
const INTERVAL_MS_MIN = 2_000;

/** Resolves when the signal aborts; rejects only because of a bug in the sink. */
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
  { outbox, timestamper, status, eventHistory, downlinkStatus }: PublisherPorts,
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
    ...(downlinkStatus && { downlink: downlinkStatus.report }),
    recentEvents: events,
    openEvents: open,
    eventCounts: counts,
  };
}
