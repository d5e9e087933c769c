/** The table of `firstlight sample`, as lines that fit the terminal. Pure. */

import { cutTo, fit, widest } from '../ui/style.ts';
import type { Group } from './rows.ts';

const INDENT = 2;
const GAP = 2;
/** A shorter meaning is not readable, so it is omitted. */
const MEANING_MIN = 12;
const NOT_SENT = '-';

/** Lines of at most `width` columns; `Number.POSITIVE_INFINITY` for a pipe or a file. */
export function tableLines(groups: readonly Group[], width: number): readonly string[] {
  const rows = groups.flatMap((group) => group.rows);
  if (rows.length === 0) return ['No sensor could be read.'];
  const unitWidth = widest(
    rows.map(({ unit }) => unit),
    8,
  );
  const amountWidth = widest(
    rows.map(({ amount }) => amount),
    Math.max(6, Math.floor(width / 4)),
  );
  const keyWidth = widest(
    rows.map(({ key }) => key),
    Math.max(4, width - INDENT - GAP - amountWidth - 1 - unitWidth),
  );
  const remainingWidth = width - INDENT - keyWidth - GAP - amountWidth - 1 - unitWidth - GAP;
  const hidden = rows.some(({ sent }) => !sent);
  return [
    ...groups.flatMap(({ sensor, rows }) => [
      cutTo(sensor, width),
      ...rows.map(({ key, amount, unit, meaning, sent }) => {
        const mark = (sent ? '' : NOT_SENT).padEnd(INDENT);
        const cells = `${fit(key, keyWidth)}  ${fit(amount, amountWidth, 'right')} ${fit(unit, unitWidth)}`;
        const meaningText = remainingWidth >= MEANING_MIN ? `  ${cutTo(meaning, remainingWidth)}` : '';
        return cutTo(`${mark}${cells}${meaningText}`.trimEnd(), width);
      }),
    ]),
    ...(hidden ? [cutTo(`${NOT_SENT} is not sent: not in the configured profile, or disabled`, width)] : []),
  ];
}
