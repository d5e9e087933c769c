/**
 * What the agent knows about itself, for its own sensor: the process from Node, the readings from the outbox, once there is one, and
 * from the tally. Each figure is made when it is read.
 *
 * How late the event loop is comes from the agent's own timers, which it has anyway. Node's monitorEventLoopDelay wakes the process to know.
 * Measured on Node 20.20, x86-64, with the flags of node-flags.ts, 2026-11-26: 3.1 ms of CPU a second at a resolution of 10 ms, 0.5 at 100 ms
 * and 0.08 at one second, more than all else the agent does.
 */

import type { Outbox } from '../core/ports/outbox.ts';
import type { DeliveryCounters } from '../core/status/counters.ts';
import type { AgentMetrics } from '../sensors/runtime/external-values.ts';

export type MeasuredOutbox = Pick<Outbox, 'losses'> & { readonly size: number };

export interface AgentCounts {
  /** Absent before there is one. */
  readonly outbox?: MeasuredOutbox;
  /** Bytes of the disk, of the outbox. */
  readonly spoolBytes?: () => number;
  readonly counters: DeliveryCounters;
  /** Starts in this boot before this one, where they are counted. */
  readonly restarts: number | undefined;
  /** Of the clock; asking begins anew. */
  readonly drainTimerLagMs?: (() => number | undefined) | undefined;
}

const US_PER_MS = 1000;

export function agentMetrics({
  outbox,
  spoolBytes,
  counters,
  restarts,
  drainTimerLagMs,
}: AgentCounts): AgentMetrics {
  return {
    get rssBytes() {
      return process.memoryUsage.rss();
    },
    get cpuMs() {
      const { user, system } = process.cpuUsage();
      return (user + system) / US_PER_MS;
    },
    get busyMs() {
      return performance.eventLoopUtilization().active;
    },
    get timerLagMs() {
      return drainTimerLagMs?.();
    },
    get uptimeMs() {
      return process.uptime() * 1000;
    },
    waitingReadings: outbox?.size,
    lostReadings: outbox?.losses.total,
    deliveredReadings: counters.delivered,
    get spoolBytes() {
      return spoolBytes?.();
    },
    roundTripMs: counters.roundTripMs,
    restarts,
  };
}
