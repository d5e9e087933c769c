/**
 * The changes that the operator configured for values, in this order: multiply, add, round to six decimals
 * (contract 4.2), rename. Flags and texts are only renamed.
 */

import { GlobMap } from '../../core/model/glob.ts';
import { round, type Value, type Values } from '../../core/model/reading.ts';
import type { Tuning } from './tuning.ts';

const DECIMALS = 6;

export type Transform = (values: Values) => Values;

export function createTransform({
  rename,
  scale,
  offset,
}: Pick<Tuning, 'rename' | 'scale' | 'offset'>): Transform {
  if (rename.size + scale.size + offset.size === 0) return (values) => values;
  const [factors, addends] = [new GlobMap(scale), new GlobMap(offset)];
  const transformValue = (key: string, value: Value): Value => {
    if (typeof value !== 'number') return value;
    const [factor, addend] = [factors.get(key), addends.get(key)];
    if (factor === undefined && addend === undefined) return value;
    return round(value * (factor ?? 1) + (addend ?? 0), DECIMALS);
  };
  return (values) => {
    const result: Record<string, Value> = {};
    for (const [key, value] of Object.entries(values)) {
      const name = rename.get(key) ?? key;
      // The configuration rejects equal names of catalogue keys, but a custom program, which comes last, can return one.
      if (!Object.hasOwn(result, name)) result[name] = transformValue(key, value);
    }
    return result;
  };
}
