/**
 * The record of a setup: what it made, and with which content. It is a server attribute of the device profile, so it is where
 * the entities are, and an update from any computer knows what an operator changed or deleted.
 */

import { isJsonObject, type JsonObject } from '../../core/model/json-object.ts';
import { objectOf, textOf } from '../rest/json-values.ts';
import type { Kind } from './content.ts';

export interface RecordedItem {
  readonly id: string;
  /** Of the content as the setup saved it. */
  readonly fingerprint: string;
}

export interface SetupRecord {
  /** Version of Firstlight; empty if there is no record. */
  readonly madeBy: string;
  readonly items: ReadonlyMap<string, RecordedItem>;
}

export const NO_RECORD: SetupRecord = { madeBy: '', items: new Map() };

export function itemKey(kind: Kind, name: string): string {
  return `${kind}: ${name}`;
}

/** `value`: of the attribute, as an object or as its text. */
export function parseRecord(value: unknown): SetupRecord {
  const record = typeof value === 'string' ? parseText(value) : value;
  if (!isJsonObject(record)) return NO_RECORD;
  const items = Object.entries(objectOf(record, 'items')).flatMap(([key, item]) =>
    isJsonObject(item)
      ? [[key, { id: textOf(item, 'id'), fingerprint: textOf(item, 'fingerprint') }] as const]
      : [],
  );
  return { madeBy: textOf(record, 'madeBy'), items: new Map(items) };
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function recordJson({ madeBy, items }: SetupRecord): JsonObject {
  return { version: 1, madeBy, items: Object.fromEntries(items) };
}

/** Whether version `one` is newer than `other`; both are `1.2.3`. An empty version is the oldest. */
export function isNewer(one: string, other: string): boolean {
  const numbers = (version: string) => version.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
  const [left, right] = [numbers(one), numbers(other)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
