/**
 * What was sampled, as rows for people: grouped by sensor in the order of the catalogue, with units, and what each means.
 *
 * Pure: the same rows make the table of `sample` and the screen of `sample --watch`.
 */

import type { Value, Values } from '../../core/model/reading.ts';
import { formatValue } from '../ui/format.ts';
import type { SampleSubject } from './subject.ts';

export interface Row {
  /** As it is sent. */
  readonly key: string;
  readonly value: Value;
  /** The value and its unit as people read them. */
  readonly amount: string;
  readonly unit: string;
  readonly meaning: string;
  /** False: the configured agent does not send it. */
  readonly sent: boolean;
}

export interface Group {
  readonly sensor: string;
  readonly rows: readonly Row[];
}

/** Where no sensor knows the key: never, but a table must not lose it. */
const OTHER_GROUP = 'other';

export function groupRows(
  values: Values,
  { collectors, describeKey }: Pick<SampleSubject, 'collectors' | 'describeKey'>,
): readonly Group[] {
  const groups = new Map<string, Row[]>(collectors.map(({ name }) => [name, []]));
  for (const [key, value] of Object.entries(values)) {
    const { sensor = OTHER_GROUP, entry, unit = '', isSent = true } = describeKey(key) ?? {};
    const [amount, shownUnit] = formatValue(value, unit);
    const row = { key, value, amount, unit: shownUnit, meaning: entry?.meaning ?? '', sent: isSent };
    groups.set(sensor, [...(groups.get(sensor) ?? []), row]);
  }
  return [...groups].map(([sensor, rows]) => ({ sensor, rows })).filter(({ rows }) => rows.length > 0);
}
