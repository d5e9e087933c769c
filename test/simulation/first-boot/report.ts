/**
 * The report of a simulation for a terminal: the table, the residual risk of each strategy by cause, and the
 * command that repeats each broken promise.
 */

import type { CampaignSummary } from './campaign.ts';
import type { Plant } from './planted-bugs.ts';
import { NEVER_STRANDED, type StrategyName } from './strategies.ts';

export function table(summaries: readonly CampaignSummary[]): string {
  const rows = summaries.map((each) => [
    each.strategy,
    String(each.boots),
    String(each.provisioned),
    formatMs(quantile(each.provisionedMs, 0.5)),
    formatMs(quantile(each.provisionedMs, 0.99)),
    String(each.duplicateDevices),
    `${each.stranded} (${percent(each.stranded, each.boots)})`,
    String(each.failed),
  ]);
  const head = [
    'strategy',
    'boots',
    'provisioned',
    'median',
    'p99',
    'duplicate devices',
    'stranded',
    'broken promises',
  ];
  return alignColumns([head, ...rows]);
}

/** The share of stranded gateways, by cause. */
export function residualRisk(each: CampaignSummary): string {
  const exposed = `exposed, from the decision of the server to the token on the disk: median ${formatMs(quantile(each.exposedMs, 0.5))}, p99 ${formatMs(quantile(each.exposedMs, 0.99))}`;
  const causes = [...each.causes]
    .sort(([, one], [, other]) => other.count - one.count)
    .map(
      ([cause, { count, firstSeed }]) =>
        `  ${percent(count, each.boots).padStart(6)}  ${cause} (${count} boots, first seed ${firstSeed})`,
    );
  const explanation =
    each.strategy === NEVER_STRANDED
      ? 'the gateway knows the token before the request: after an interruption it checks whether the token is valid'
      : exposed;
  return [`${each.strategy}: ${explanation}`, ...causes].join('\n');
}

export function brokenPromises(each: CampaignSummary, plant: Plant | undefined): string {
  return each.firstFailed
    .map(({ seed, result, broken }) => {
      const lines = broken.map(
        ({ promise, atMs, detail }) => `  ${promise} (at ${formatMs(atMs)}): ${detail}`,
      );
      return [`${result}; repeat with: ${repeatCommand(seed, each.strategy, plant)}`, ...lines].join('\n');
    })
    .join('\n');
}

export function repeatCommand(seed: number, strategy: StrategyName, plant: Plant | undefined): string {
  const planted = plant === undefined ? '' : ` --plant ${plant}`;
  return `npm run simulate -- --seed ${seed} --boots 1 --strategy ${strategy}${planted} --trace`;
}

export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export function formatMs(ms: number | undefined): string {
  if (ms === undefined) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms < 7_200_000 ? `${(ms / 60_000).toFixed(1)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(2)} %`;
}

function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}
