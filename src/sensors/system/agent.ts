/**
 * The agent itself: its readings, its cost for the host, and the round trip to the server. Waiting and lost
 * readings deserve an alarm. The program supplies the figures (external-values.ts); `firstlight sample` has
 * none, because it is not the agent.
 */

import type { CatalogueEntry, Collector, KeyFilter, NumberEntry } from '../runtime/collector.ts';
import type { AgentMetrics } from '../runtime/external-values.ts';

const COUNT_MAX = 2 ** 53;
const OWN_SOURCE = 'counted by the agent';
const SOURCES: Readonly<Partial<Record<NumberEntry['unit'], string>>> = {
  '%': 'getrusage(2); libuv, uv_metrics_idle_time',
};

export const agent: Collector = {
  name: 'agent',
  catalogue: [
    entry('agentWaitingReadings', '', 'readings waiting for delivery', 'default'),
    entry('agentLostReadings', '', 'readings lost since the agent started', 'default'),
    entry('agentDelivered', '', 'readings the server accepted since the agent started'),
    entry('agentSpoolBytes', 'B', 'disk space of the spool, including space kept for the next readings'),
    entry(
      'agentRoundTripMs',
      'ms',
      'time from the latest request that was sent only once to the first response of the server',
    ),
    entry(
      'agentRestarts',
      '',
      'earlier starts of the agent since the host started; absent if starts are not counted',
    ),
    entry('agentRssBytes', 'B', 'resident memory of the agent'),
    entry('agentCpuPercent', '%', 'CPU time of the agent since the previous sample; 100 is one CPU'),
    entry(
      'agentLoopUsePercent',
      '%',
      'share of time the event loop of the agent was busy, since the previous sample',
    ),
    entry(
      'agentLoopDelayMs',
      'ms',
      'largest delay of a timer of the agent since the previous sample; a few ms on a host with spare CPU time',
    ),
    entry('agentUptimeS', 's', 'time since the agent started'),
  ],
  open: (_hostFiles, clock, isSelected, external) => {
    const shares = new UsageShares(isSelected);
    return () => {
      const metrics = external.agent?.();
      if (metrics === undefined) return {};
      return {
        agentWaitingReadings: metrics.waitingReadings,
        agentLostReadings: metrics.lostReadings,
        agentDelivered: metrics.deliveredReadings,
        agentSpoolBytes: isSelected('agentSpoolBytes') ? metrics.spoolBytes : undefined,
        agentRoundTripMs: metrics.roundTripMs,
        agentRestarts: metrics.restarts,
        agentRssBytes: isSelected('agentRssBytes') ? metrics.rssBytes : undefined,
        ...shares.next(metrics, clock.monotonicMs()),
        agentLoopDelayMs: isSelected('agentLoopDelayMs') ? metrics.timerLagMs : undefined,
        agentUptimeS: isSelected('agentUptimeS') ? metrics.uptimeMs / 1000 : undefined,
      };
    };
  },
};

const SHARES = [
  { key: 'agentCpuPercent', metric: 'cpuMs' },
  { key: 'agentLoopUsePercent', metric: 'busyMs' },
] as const;

const NO_SHARES: Record<string, number> = {};

/** The share of the time since the previous round that was spent; the first round has none. */
class UsageShares {
  readonly #selected: (typeof SHARES)[number][];
  #previous: { readonly atMs: number; readonly spentMs: readonly number[] } | undefined;

  constructor(isSelected: KeyFilter) {
    this.#selected = SHARES.filter(({ key }) => isSelected(key));
  }

  next(metrics: AgentMetrics, atMs: number): Record<string, number> {
    if (this.#selected.length === 0) return NO_SHARES;
    const previous = this.#previous;
    const spentMs = this.#selected.map(({ metric }) => metrics[metric]);
    this.#previous = { atMs, spentMs };
    if (previous === undefined || atMs <= previous.atMs) return {};
    const share = (index: number) =>
      (100 * ((spentMs[index] ?? 0) - (previous.spentMs[index] ?? 0))) / (atMs - previous.atMs);
    return Object.fromEntries(this.#selected.map(({ key }, index) => [key, share(index)]));
  }
}

function entry(
  key: string,
  unit: NumberEntry['unit'],
  meaning: string,
  profile: NumberEntry['profile'] = 'full',
): CatalogueEntry {
  const decimals = unit === '%' || unit === 'ms' ? 1 : 0;
  // Several threads can run at once, so their CPU time can exceed the elapsed time.
  const max = unit === '%' ? 6400 : COUNT_MAX;
  return {
    key,
    type: 'number',
    profile,
    unit,
    min: 0,
    max,
    decimals,
    meaning,
    source: SOURCES[unit] ?? OWN_SOURCE,
  };
}
