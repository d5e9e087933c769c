/** What the experiments tell: one row per standing at the instant of the cut, and every violation in full. */

import type { Standing } from './gateway.ts';

export interface Outcome {
  /** What was done to it: `killed before call 17, renameSync`. */
  readonly what: string;
  readonly standing: Standing;
  readonly problems: readonly string[];
}

export function violations(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.filter(({ problems }) => problems.length > 0);
}

export function table(title: string, outcomes: readonly Outcome[]): string {
  const standings = [...new Set(outcomes.map(({ standing }) => standing))].sort();
  const rows = [...standings, undefined].map((standing) => {
    const these = outcomes.filter((outcome) => standing === undefined || outcome.standing === standing);
    const bad = violations(these).length;
    return [standing ?? 'all', String(these.length), String(these.length - bad), String(bad)];
  });
  return [title, grid([['at that instant', 'runs', 'ended well', 'violations'], ...rows])].join('\n');
}

/** Rows of cells as lines, the first column to the left and the others to the right. */
export function grid(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => (row[column] ?? '').length));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(width(0)) : cell.padStart(width(column))));
  return rows.map((row) => `  ${line(row).join('  ')}`).join('\n');
}

export function listing(outcomes: readonly Outcome[]): string {
  return outcomes
    .map(({ what, standing, problems }) => `  ${what} (${standing}): ${problems.join('; ')}`)
    .join('\n');
}
