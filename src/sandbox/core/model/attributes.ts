/**
 * The attributes of a device (contract section 5). The device writes the client scope, the administrator the
 * shared scope; the server scope is internal. A body `{"ts":..,"values":..}` has no special meaning here.
 */

import { jsonText, objectText, parseLenientJson, withoutNullMembers } from '../json/lenient-json.ts';
import type { AttributeAnswer } from './types.ts';
import { classifyMembers, type StoredValue, type StoredValues, storedText } from './values.ts';

export type Scope = 'client' | 'shared' | 'server';
export type AttributeScopes = Readonly<Record<Scope, Map<string, StoredValue>>>;

export interface AttributeKeys {
  readonly clientKeys?: readonly string[];
  readonly sharedKeys?: readonly string[];
}

export function emptyScopes(): AttributeScopes {
  return { client: new Map(), shared: new Map(), server: new Map() };
}

/**
 * Parses a posted body, which must be an object under the value rules of section 4.2. Only the administrator
 * can store null within an object.
 */
export function readAttributeBody(
  body: string,
  typeCast: boolean,
  writer: 'device' | 'administrator',
): StoredValues {
  const parsed = parseLenientJson(body);
  if (!parsed.ok) return parsed;
  if (parsed.value.type !== 'object') {
    return { ok: false, message: `Can't parse value: ${jsonText(parsed.value)}` };
  }
  return classifyMembers(writer === 'device' ? withoutNullMembers(parsed.value) : parsed.value, typeCast);
}

/** Writes changed values; returns whether there were any. */
export function writeAttributes(
  scope: Map<string, StoredValue>,
  values: ReadonlyMap<string, StoredValue>,
): boolean {
  let changed = false;
  for (const [key, stored] of values) {
    const previous = scope.get(key);
    if (previous?.type === stored.type && previous.value === stored.value) continue;
    scope.set(key, stored);
    changed = true;
  }
  return changed;
}

/** A flat JSON object, for the first response to an observation and for notifications. */
export function attributesText(values: Iterable<readonly [string, StoredValue]>): string {
  return objectText([...values].map(([key, stored]) => [key, storedText(stored)]));
}

/** Without key lists it reads both scopes, with one list only that scope. An empty scope is left out. */
export function readAttributes(scopes: AttributeScopes, keys: AttributeKeys): AttributeAnswer {
  const everything = keys.clientKeys === undefined && keys.sharedKeys === undefined;
  const found: [string, string][] = [];
  for (const scope of ['client', 'shared'] as const) {
    const wanted = scope === 'client' ? keys.clientKeys : keys.sharedKeys;
    if (wanted === undefined && !everything) continue;
    const values = [...scopes[scope]].filter(([key]) => wanted === undefined || wanted.includes(key));
    if (values.length > 0) found.push([scope, attributesText(values)]);
  }
  return found.length > 0 ? { status: 'found', json: objectText(found) } : { status: 'nothing' };
}
