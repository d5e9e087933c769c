/**
 * What an operator wants done to values that are read: another unit, a correction, another name. In this order: multiplied,
 * added to, rounded to six decimals (contract 4.2), renamed. Flags and texts only get their names.
 */

import { ByKey } from '../../core/model/glob.ts';
import { round, type Value, type Values } from '../../core/model/reading.ts';
import type { Tuning } from './tuning.ts';

const DECIMALS = 6;

export type Retouch = (values: Values) => Values;

export function openRetouch({ rename, scale, offset }: Pick<Tuning, 'rename' | 'scale' | 'offset'>): Retouch {
  if (rename.size + scale.size + offset.size === 0) return (values) => values;
  const [factors, added] = [new ByKey(scale), new ByKey(offset)];
  const retouched = (key: string, value: Value): Value => {
    if (typeof value !== 'number') return value;
    const [factor, more] = [factors.of(key), added.of(key)];
    if (factor === undefined && more === undefined) return value;
    return round(value * (factor ?? 1) + (more ?? 0), DECIMALS);
  };
  return (values) => {
    const done: Record<string, Value> = {};
    for (const [key, value] of Object.entries(values)) {
      const name = rename.get(key) ?? key;
      // The configuration sees to it that no two of our own keys get one name; the key of somebody's program, which comes last, might have it.
      if (!Object.hasOwn(done, name)) done[name] = retouched(key, value);
    }
    return done;
  };
}
