/** Finds the tables that differ between two configurations. Secrets are compared by their hidden values. */

import type { Config } from '../core/model/config.ts';
import { Secret } from '../core/model/secret.ts';

export type Table = keyof Config;

const TABLES: readonly Table[] = [
  'server',
  'provisioning',
  'device',
  'telemetry',
  'sensors',
  'commands',
  'outbox',
  'clock',
  'remote',
  'log',
] as const;

export function changedTables(before: Config, after: Config): readonly Table[] {
  return TABLES.filter((table) => !isEqual(before[table], after[table]));
}

/** Whether two values of a configuration are equal; the order of keys does not matter. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (one instanceof Secret || other instanceof Secret) {
    return one instanceof Secret && other instanceof Secret && one.equals(other);
  }
  if (one instanceof Map && other instanceof Map) {
    return one.size === other.size && [...one].every(([key, value]) => isEqual(value, other.get(key)));
  }
  if (!isObject(one) || !isObject(other)) return Object.is(one, other);
  const [oneEntries, otherEntries] = [new Map(Object.entries(one)), new Map(Object.entries(other))];
  return isEqual(oneEntries, otherEntries);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Map);
}
