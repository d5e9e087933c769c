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
  const cells = [['at that instant', 'runs', 'ended well', 'violations'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
  return [title, ...lines.map((line) => `  ${line}`)].join('\n');
}

export function listing(outcomes: readonly Outcome[]): string {
  return outcomes
    .map(({ what, standing, problems }) => `  ${what} (${standing}): ${problems.join('; ')}`)
    .join('\n');
}
