/**
 * The content of an entity that a setup owns, in a form that can be compared: without ids, times and versions, and without
 * members that are null, false or empty, which the server adds or drops as it likes.
 */

import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../core/model/json-object.ts';
import { PROFILE_CONTENT } from '../assets/profile.ts';

export type Kind = 'device profile' | 'alarm rule' | 'dashboard';

/** The members by which an operator would notice a change. */
const MEMBERS: Readonly<Record<Kind, readonly string[]>> = {
  'device profile': Object.keys(PROFILE_CONTENT),
  'alarm rule': ['name', 'configuration'],
  dashboard: ['title', 'configuration'],
};

export function contentOf(kind: Kind, entity: JsonObject): JsonObject {
  const members = MEMBERS[kind].map((name) => [name, compact(entity[name])] as const);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** The same for contents that are equal, whatever the order of their members. */
export function fingerprintOf(kind: Kind, entity: JsonObject): string {
  return createHash('sha256')
    .update(JSON.stringify(contentOf(kind, entity)))
    .digest('hex')
    .slice(0, 32);
}

/** Undefined for null, false, empty texts, lists and objects; members in the order of their names. */
function compact(value: unknown): unknown {
  if (value === null || value === undefined || value === false || value === '') return undefined;
  if (Array.isArray(value))
    return value.length === 0 ? undefined : value.map((each) => compact(each) ?? null);
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value)
    .map(([name, member]) => [name, compact(member)] as const)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return members.length === 0 ? undefined : Object.fromEntries(members);
}
