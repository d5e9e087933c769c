/**
 * The tables of the experiments: one row per situation at the instant of the cut, and every violation in
 * full.
 */

import type { Situation } from './gateway.ts';

export interface Outcome {
  /** The interruption, such as `killed before call 17, renameSync`. */
  readonly what: string;
  readonly situation: Situation;
  readonly problems: readonly string[];
}

export function violations(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.filter(({ problems }) => problems.length > 0);
}

export function table(title: string, outcomes: readonly Outcome[]): string {
  const situations = [...new Set(outcomes.map(({ situation }) => situation))].sort();
  const rows = [...situations, undefined].map((situation) => {
    const these = outcomes.filter((outcome) => situation === undefined || outcome.situation === situation);
    const bad = violations(these).length;
    return [situation ?? 'all', String(these.length), String(these.length - bad), String(bad)];
  });
  return [title, grid([['at that instant', 'runs', 'ended well', 'violations'], ...rows])].join('\n');
}

/** Formats rows; the first column is left-aligned, the others right-aligned. */
export function grid(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => (row[column] ?? '').length));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(width(0)) : cell.padStart(width(column))));
  return rows.map((row) => `  ${line(row).join('  ')}`).join('\n');
}

export function listing(outcomes: readonly Outcome[]): string {
  return outcomes
    .map(({ what, situation, problems }) => `  ${what} (${situation}): ${problems.join('; ')}`)
    .join('\n');
}
