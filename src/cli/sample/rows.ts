/**
 * What was sampled, as rows for people: grouped by sensor in the order of the catalogue, with units, and what each means.
 *
 * Pure: the same rows make the table of `sample` and the screen of `sample --watch`.
 */

import type { Value, Values } from '../../core/model/reading.ts';
import { shownValue } from '../ui/format.ts';
import type { Sampled } from './subject.ts';

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
const UNKNOWN = 'other';

export function groupsOf(
  values: Values,
  { collectors, known }: Pick<Sampled, 'collectors' | 'known'>,
): readonly Group[] {
  const groups = new Map<string, Row[]>(collectors.map(({ name }) => [name, []]));
  for (const [key, value] of Object.entries(values)) {
    const { sensor = UNKNOWN, entry, unit = '', isSent = true } = known(key) ?? {};
    const [amount, shownUnit] = shownValue(value, unit);
    const row = { key, value, amount, unit: shownUnit, meaning: entry?.meaning ?? '', sent: isSent };
    groups.set(sensor, [...(groups.get(sensor) ?? []), row]);
  }
  return [...groups].map(([sensor, rows]) => ({ sensor, rows })).filter(({ rows }) => rows.length > 0);
}
