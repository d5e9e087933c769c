/**
 * Reporting: keeps the report current for whoever reads it, at next to no cost.
 *
 * It is shown at most every ten seconds, and only when it says something else; a change of state is shown at once, but not
 * more often than every two seconds, so that a server that comes and goes costs no more than that. Beside the loops and never
 * in their way: nobody waits for it.
 */

import { AsyncSignal } from '../async/async-signal.ts';
import type { Clock } from '../ports/clock.ts';
import type { Dating } from '../timestamps/timestamper.ts';
import type { Chronicle } from './event-history.ts';
import type { StatusBoard, StatusReport } from './report.ts';
import type { Amounts, Status } from './status.ts';

export interface ReportingPorts {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly outbox: Amounts;
  readonly dating: Pick<Dating, 'standing'>;
  readonly status: Pick<Status, 'watch' | 'standing'>;
  readonly board: StatusBoard;
  readonly chronicle: Chronicle;
}

/** The server by its URLs. */
export interface Servers {
  /** The first of the list. */
  readonly preferred: string;
  /** That of the road in use now. */
  readonly inUse: () => string;
}

const EVERY_MS = 10_000;
const GAP_MS = 2_000;

/** Ends with the signal; rejects only when the board has a bug. */
export async function report(ports: ReportingPorts, servers: Servers, signal: AbortSignal): Promise<void> {
  const { clock, status, board } = ports;
  const changes = new AsyncSignal();
  status.watch(() => changes.notify());
  let shown = '';
  while (!signal.aborted) {
    const { version } = changes;
    const now = reportOf(ports, servers);
    const text = JSON.stringify(now);
    if (text !== shown) await board.show(now);
    shown = text;
    await clock.sleep(GAP_MS, signal);
    await changes.waitUpTo(EVERY_MS - GAP_MS, clock, signal, version);
  }
}

function reportOf(
  { outbox, dating, status, chronicle }: ReportingPorts,
  { preferred, inUse }: Servers,
): StatusReport {
  const server = inUse();
  const { last: events, open, counts } = chronicle;
  return {
    ...status.standing,
    server,
    ...(server !== preferred && { preferred }),
    waiting: outbox.fresh.size,
    spooled: outbox.backlog.size,
    dropped: outbox.losses.total,
    clock: dating.standing,
    events,
    open,
    counts,
  };
}
