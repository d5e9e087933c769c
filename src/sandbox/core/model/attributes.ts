/**
 * Attributes of one device (contract, section 5): client scope written by the device, shared scope by the administrator,
 * server scope seen by neither.
 *
 * Reading answers scope by scope and leaves out an empty one; `{"ts":..,"values":..}` is nothing special here.
 */

import { jsonText, objectText } from '../json/json-text.ts';
import { parseLenientJson } from '../json/lenient-json.ts';
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

/** The values of a posted attribute body: an object under the value rules of 4.2, nothing else. */
export function readAttributeBody(body: string, typeCast: boolean): StoredValues {
  const parsed = parseLenientJson(body);
  if (!parsed.ok) return parsed;
  if (parsed.value.type !== 'object') {
    return { ok: false, message: `Can't parse value: ${jsonText(parsed.value)}` };
  }
  return classifyMembers(parsed.value, typeCast);
}

/** Writes what differs; true when anything did. */
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

/** Flat object text: an observation's first answer, and the notification of a change. */
export function attributesText(values: Iterable<readonly [string, StoredValue]>): string {
  return objectText([...values].map(([key, stored]) => [key, storedText(stored)]));
}

/** No list at all asks for everything of both scopes; one list alone asks for that scope only. */
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
