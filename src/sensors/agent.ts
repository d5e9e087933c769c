/**
 * The agent about itself: what it costs this host, what waits and what was lost. What waits and grows, or is lost, is
 * worth an alarm; the rest answers whether it was the agent.
 *
 * Asked of the rest of the program (told.ts); `firstlight sample`, which is no agent, has none of it.
 */

import type { CatalogueEntry, Collector, NumberEntry } from './collector.ts';
import type { AgentFigures } from './told.ts';

const COUNT_MAX = 2 ** 53;
const OWN = "the agent's own count";
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
    entry('agentRssBytes', 'B', 'memory of the agent'),
    entry('agentCpuPercent', '%', 'CPU time of the agent, of one CPU, since the last sample'),
    entry('agentLoopUsePercent', '%', 'time the agent was not waiting for anything, since the last sample'),
    entry('agentUptimeS', 's', 'time since the agent started'),
  ],
  open: (_tree, clock, _wants, told) => {
    let before: { readonly atMs: number; readonly figures: AgentFigures } | undefined;
    return () => {
      const figures = told.agent?.();
      if (figures === undefined) return {};
      const atMs = clock.monotonicMs();
      const elapsedMs = before === undefined ? 0 : atMs - before.atMs;
      const share = (figure: 'cpuMs' | 'busyMs'): number | undefined =>
        before === undefined || elapsedMs <= 0
          ? undefined
          : (100 * (figures[figure] - before.figures[figure])) / elapsedMs;
      const measured = {
        agentWaitingReadings: figures.waitingReadings,
        agentLostReadings: figures.lostReadings,
        agentRssBytes: figures.rssBytes,
        agentCpuPercent: share('cpuMs'),
        agentLoopUsePercent: share('busyMs'),
        agentUptimeS: figures.uptimeMs / 1000,
      };
      before = { atMs, figures };
      return measured;
    };
  },
};

function entry(
  key: string,
  unit: NumberEntry['unit'],
  meaning: string,
  profile: NumberEntry['profile'] = 'full',
): CatalogueEntry {
  const decimals = unit === '%' || unit === 'ms' ? 1 : 0;
  // Several threads may be at work at once, so their CPU time may exceed the time that passed.
  const max = unit === '%' ? 6400 : COUNT_MAX;
  return { key, type: 'number', profile, unit, min: 0, max, decimals, meaning, source: SOURCES[unit] ?? OWN };
}
