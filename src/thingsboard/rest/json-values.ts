/** Reads members of JSON objects that a server sent. */

import { isJsonObject, type JsonObject } from '../../core/model/json-object.ts';

/** Empty if the member is not a text. */
export function textOf(object: JsonObject, name: string): string {
  const value = object[name];
  return typeof value === 'string' ? value : '';
}

export function numberOf(object: JsonObject, name: string): number {
  const value = object[name];
  return typeof value === 'number' ? value : Number.NaN;
}

/** Empty if the member is not an object. */
export function objectOf(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}

/** The objects in a list; empty if the member is not a list. */
export function objectsOf(object: JsonObject, name: string): readonly JsonObject[] {
  const value = object[name];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The id of an entity: `{"id": {"entityType": …, "id": "…"}}`. */
export function idOf(entity: JsonObject): string {
  return textOf(objectOf(entity, 'id'), 'id');
}
