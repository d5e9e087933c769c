/**
 * Publishes the status report at little cost, and only if it changed. A change of state, an event and a change of the downlink
 * are published at once, but at most every two seconds. Numbers follow within a minute online, within ten seconds offline.
 * Nothing waits for it.
 */

import { AsyncSignal } from '../async/async-signal.ts';
import type { DownlinkStatus } from '../downlink/downlink-status.ts';
import type { Clock } from '../ports/clock.ts';
import type { Timestamper } from '../timestamps/timestamper.ts';
import type { EventHistory } from './event-history.ts';
import type { StatusReport, StatusSink } from './report.ts';
import type { OutboxSizes, Status } from './status.ts';

export interface PublisherPorts {
  readonly clock: Pick<Clock, 'sleep' | 'bootMs'>;
  readonly outbox: OutboxSizes;
  readonly timestamper: Pick<Timestamper, 'clockState'>;
  readonly status: Pick<Status, 'subscribe' | 'connection'>;
  readonly sink: StatusSink;
  readonly eventHistory: EventHistory;
  /** Absent if the agent does not listen to the server. */
  readonly downlinkStatus?: Pick<DownlinkStatus, 'report' | 'subscribe'> | undefined;
}

/** URLs of the server. */
export interface EndpointNames {
  /** The first URL of the list. */
  readonly preferred: string;
  /** The URL in use now. */
  readonly inUse: () => string;
}

/** Online each write costs as much CPU as a fifth of a reading. */
const ONLINE_INTERVAL_MS = 60_000;
/** Offline an operator watches the attempts. */
const OFFLINE_INTERVAL_MS = 10_000;
const INTERVAL_MS_MIN = 2_000;

/** Resolves when the signal aborts; rejects only because of a bug in the sink. */
export async function publishStatus(
  ports: PublisherPorts,
  endpoints: EndpointNames,
  signal: AbortSignal,
): Promise<void> {
  const { clock, status, sink, eventHistory, downlinkStatus } = ports;
  const changes = new AsyncSignal();
  const onChange = () => changes.notify();
  status.subscribe(onChange);
  downlinkStatus?.subscribe(onChange);
  using _events = eventHistory.subscribe(onChange);
  let published = '';
  const publish = (): StatusReport => {
    const current = createReport(ports, endpoints);
    const text = JSON.stringify(current);
    if (text !== published) sink.publish({ ...current, asOfBootMs: Math.round(clock.bootMs()) });
    published = text;
    return current;
  };
  while (!signal.aborted) {
    const { version } = changes;
    const { state } = publish();
    await clock.sleep(INTERVAL_MS_MIN, signal);
    const intervalMs = state === 'online' ? ONLINE_INTERVAL_MS : OFFLINE_INTERVAL_MS;
    await changes.waitUpTo(intervalMs - INTERVAL_MS_MIN, clock, signal, version);
  }
  // The numbers of the end.
  publish();
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
