/**
 * The agent about itself: what it costs this host, what became of its readings, and how far the server is. What waits and grows, or is
 * lost, is worth an alarm; the rest answers whether it was the agent.
 *
 * Asked of the rest of the program (told.ts); `firstlight sample`, which is no agent, has none of it.
 */

import type { CatalogueEntry, Collector, KeyFilter, NumberEntry } from '../runtime/collector.ts';
import type { AgentMetrics } from '../runtime/external-values.ts';

const COUNT_MAX = 2 ** 53;
const OWN_SOURCE = "the agent's own count";
const SOURCES: Readonly<Partial<Record<NumberEntry['unit'], string>>> = {
  '%': 'getrusage(2); libuv, uv_metrics_idle_time',
};

export const agent: Collector = {
  name: 'agent',
  catalogue: [
    entry('agentWaitingReadings', '', 'readings that wait for delivery', 'default'),
    entry(
      'agentLostReadings',
      '',
      'readings that will never be delivered, since the agent started',
      'default',
    ),
    entry('agentDelivered', '', 'readings the server accepted, since the agent started'),
    entry('agentSpoolBytes', 'B', 'disk that waiting readings take, or keep for the next'),
    entry(
      'agentRoundTripMs',
      'ms',
      'from the last request to the first word of the server about it; of requests that were sent once',
    ),
    entry(
      'agentRestarts',
      '',
      'starts of the agent in this boot before this one; absent where none are counted',
    ),
    entry('agentRssBytes', 'B', 'memory of the agent'),
    entry('agentCpuPercent', '%', 'CPU time of the agent, of one CPU, since the last sample'),
    entry('agentLoopUsePercent', '%', 'time the agent was not waiting for anything, since the last sample'),
    entry(
      'agentLoopDelayMs',
      'ms',
      "how late the latest of the agent's timers was since the last sample; a few on a host with time to spare",
    ),
    entry('agentUptimeS', 's', 'time since the agent started'),
  ],
  open: (_tree, clock, isSelected, external) => {
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

/** Of the time since the round before, how much was spent; the first round has none. */
class UsageShares {
  readonly #selected: (typeof SHARES)[number][];
  #previous: { readonly atMs: number; readonly spentMs: readonly number[] } | undefined;

  constructor(isSelected: KeyFilter) {
    this.#selected = SHARES.filter(({ key }) => isSelected(key));
  }

  next(metrics: AgentMetrics, atMs: number): Record<string, number> {
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
  // Several threads may be at work at once, so their CPU time may exceed the time that passed.
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
