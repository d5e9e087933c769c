/**
 * The screen of `firstlight sample --watch`, as lines that fit the terminal. Pure. On a low terminal the headings are omitted
 * first, then the last rows, with their number in the last line.
 */

import { cutTo, fit, widest } from '../ui/style.ts';
import type { Group, Row } from './rows.ts';

export interface WatchView {
  readonly groups: readonly Group[];
  /** The readings of each key, oldest first; undefined if it had no value. */
  readonly history: ReadonlyMap<string, readonly (number | undefined)[]>;
  /** The first line. */
  readonly title: string;
}

const GAP = 2;
/** The length of the history, in readings. */
export const SPARKLINE_MAX = 60;
const SPARKLINE_MIN = 8;

export function watchViewLines(
  { groups, history, title }: WatchView,
  width: number,
  height: number,
): string[] {
  const rows = groups.flatMap((group) => group.rows);
  const withHeadings = rows.length + groups.length + 1 <= height;
  const visibleRows = withHeadings
    ? groups.flatMap(({ sensor, rows }) => [sensor, ...rows])
    : rows.length + 1 <= height
      ? rows
      : rows.slice(0, Math.max(0, height - 2));
  const hiddenCount = rows.length - visibleRows.filter((item) => typeof item !== 'string').length;
  const drawRow = createRowDrawer(rows, history, width);
  return [
    cutTo(title, width),
    ...visibleRows.map((item) => (typeof item === 'string' ? cutTo(item, width) : drawRow(item))),
    ...(hiddenCount > 0 ? [cutTo(`… and ${hiddenCount} more: enlarge the terminal to see them`, width)] : []),
  ].slice(0, height);
}

function createRowDrawer(
  rows: readonly Row[],
  history: WatchView['history'],
  width: number,
): (row: Row) => string {
  const unitWidth = widest(
    rows.map(({ unit }) => unit),
    6,
  );
  const amountWidth = widest(
    rows.map(({ amount }) => amount),
    Math.max(6, Math.floor(width / 4)),
  );
  const fixedWidth = GAP + GAP + amountWidth + 1 + unitWidth;
  const keyWidth = widest(
    rows.map(({ key }) => key),
    Math.max(4, width - fixedWidth),
  );
  const sparklineWidth = Math.min(SPARKLINE_MAX, width - keyWidth - fixedWidth - GAP);
  return ({ key, amount, unit }) => {
    const cells = `  ${fit(key, keyWidth)}  ${fit(amount, amountWidth, 'right')} ${fit(unit, unitWidth)}`;
    const line =
      sparklineWidth >= SPARKLINE_MIN ? `  ${sparkline(history.get(key) ?? [], sparklineWidth)}` : '';
    return cutTo(`${cells}${line}`.trimEnd(), width);
  };
}

const BARS = '▁▂▃▄▅▆▇█';
const NO_READING = ' ';

/** The last `width` readings as bars of eight heights, scaled to the visible range. A missing value is a gap. */
export function sparkline(readings: readonly (number | undefined)[], width: number): string {
  const visible = width > 0 ? readings.slice(-width) : [];
  const numbers = visible.filter((reading) => reading !== undefined);
  const low = Math.min(...numbers);
  const range = Math.max(...numbers) - low;
  return visible
    .map((reading) => {
      if (reading === undefined) return NO_READING;
      const fraction = range > 0 ? (reading - low) / range : 0;
      return BARS.charAt(Math.min(BARS.length - 1, Math.floor(fraction * BARS.length)));
    })
    .join('');
}
