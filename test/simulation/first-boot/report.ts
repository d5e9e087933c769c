/**
 * The report of a simulation, for a terminal: the table, the residual risk of each strategy by cause, and for every broken
 * promise the command that repeats it.
 */

import type { Plant } from './planted-bugs.ts';
import { NEVER_STRANDED, type StrategyName } from './strategies.ts';
import type { Tally } from './tally.ts';

export function table(tallies: readonly Tally[]): string {
  const rows = tallies.map((each) => [
    each.strategy,
    String(each.boots),
    String(each.provisioned),
    span(quantile(each.provisionedMs, 0.5)),
    span(quantile(each.provisionedMs, 0.99)),
    String(each.duplicateDevices),
    `${each.stranded} (${percent(each.stranded, each.boots)})`,
    String(each.red),
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
  return aligned([head, ...rows]);
}

/** What remains where an answer that is lost is lost for good. */
export function residualRisk(each: Tally): string {
  const exposed = `exposed, from the server's decision to the token on the disk: median ${span(quantile(each.exposedMs, 0.5))}, p99 ${span(quantile(each.exposedMs, 0.99))}`;
  const causes = [...each.causes]
    .sort(([, one], [, other]) => other.count - one.count)
    .map(
      ([cause, { count, firstSeed }]) =>
        `  ${percent(count, each.boots).padStart(6)}  ${cause} (${count} boots, first seed ${firstSeed})`,
    );
  const why =
    each.strategy === NEVER_STRANDED
      ? 'the token is known before the request: an interrupted boot asks whether it is valid already'
      : exposed;
  return [`${each.strategy}: ${why}`, ...causes].join('\n');
}

export function brokenPromises(each: Tally, plant: Plant | undefined): string {
  return each.firstRed
    .map(({ seed, result: verdict, broken }) => {
      const lines = broken.map(({ promise, atMs, detail }) => `  ${promise} (at ${span(atMs)}): ${detail}`);
      return [`${verdict}; again with: ${again(seed, each.strategy, plant)}`, ...lines].join('\n');
    })
    .join('\n');
}

export function again(seed: number, strategy: StrategyName, plant: Plant | undefined): string {
  const planted = plant === undefined ? '' : ` --plant ${plant}`;
  return `npm run simulate -- --seed ${seed} --boots 1 --strategy ${strategy}${planted} --trace`;
}

export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export function span(ms: number | undefined): string {
  if (ms === undefined) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms < 7_200_000 ? `${(ms / 60_000).toFixed(1)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(2)} %`;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}
