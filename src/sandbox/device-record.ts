/**
 * Converts a device to the JSON of the data file and back. A record with any invalid member is rejected as a
 * whole.
 */

import { isJsonObject } from './core/json/lenient-json.ts';
import type { AttributeScopes, Scope } from './core/model/attributes.ts';
import type { Credentials } from './core/model/credentials.ts';
import type { Device } from './core/model/devices.ts';
import type { StoredValue } from './core/model/values.ts';

const VALUE_TYPES: readonly StoredValue['type'][] = ['boolean', 'long', 'double', 'string', 'json'];

export function deviceRecord(device: Device): unknown {
  const { client, shared, server } = device.attributes;
  return { ...device, attributes: { client: [...client], shared: [...shared], server: [...server] } };
}

/** Undefined if the value is not a device. */
export function parseDevice(value: unknown): Device | undefined {
  if (!isJsonObject(value)) return undefined;
  const { id, name, profile, gateway, createdAtMs } = value;
  const credentials = parseCredentials(value['credentials']);
  const attributes = parseScopes(value['attributes']);
  if (typeof id !== 'string' || typeof name !== 'string' || typeof profile !== 'string') return undefined;
  if (typeof gateway !== 'boolean' || typeof createdAtMs !== 'number') return undefined;
  if (credentials === undefined || attributes === undefined) return undefined;
  return { id, name, profile, gateway, createdAtMs, credentials, attributes };
}

function parseCredentials(value: unknown): Credentials | undefined {
  if (!isJsonObject(value)) return undefined;
  const { type, token, certificate, clientId, userName, password } = value;
  switch (type) {
    case 'ACCESS_TOKEN':
      return typeof token === 'string' ? { type, token } : undefined;
    case 'X509_CERTIFICATE':
      return typeof certificate === 'string' ? { type, certificate } : undefined;
    case 'MQTT_BASIC':
      if (typeof clientId !== 'string' || typeof userName !== 'string') return undefined;
      return typeof password === 'string' ? { type, clientId, userName, password } : undefined;
    case 'LWM2M_CREDENTIALS':
      return { type };
    default:
      return undefined;
  }
}

function parseScopes(value: unknown): AttributeScopes | undefined {
  if (!isJsonObject(value)) return undefined;
  const [client, shared, server] = (['client', 'shared', 'server'] as const satisfies Scope[]).map((scope) =>
    parseScope(value[scope]),
  );
  if (client === undefined || shared === undefined || server === undefined) return undefined;
  return { client, shared, server };
}

function parseScope(value: unknown): Map<string, StoredValue> | undefined {
  if (!Array.isArray(value)) return undefined;
  const scope = new Map<string, StoredValue>();
  for (const entry of value as readonly unknown[]) {
    const [key, stored] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
    const parsed = parseStored(stored);
    if (typeof key !== 'string' || parsed === undefined) return undefined;
    scope.set(key, parsed);
  }
  return scope;
}

function parseStored(stored: unknown): StoredValue | undefined {
  if (!isJsonObject(stored)) return undefined;
  const { value } = stored;
  const type = VALUE_TYPES.find((candidate) => candidate === stored['type']);
  if (typeof value !== 'boolean' && typeof value !== 'number' && typeof value !== 'string') return undefined;
  return type === undefined ? undefined : { type, value };
}
