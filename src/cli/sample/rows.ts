/** The values of a sample as rows with unit and meaning, grouped by sensor in the order of the catalogue. Pure. */

import type { Value, Values } from '../../core/model/reading.ts';
import { formatValue } from '../ui/format.ts';
import type { SampleSubject } from './subject.ts';

export interface Row {
  /** The key under which the agent sends it. */
  readonly key: string;
  readonly value: Value;
  /** Value and unit in readable form, such as 1.2 GiB. */
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

/** For a key without a sensor. There is none today, but the table must not lose a value. */
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
