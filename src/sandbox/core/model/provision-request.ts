/**
 * Parses a provisioning request (contract section 3.1): members are read as text, unknown ones are ignored,
 * absent optional ones are empty. A member that is null, an object, or an array without exactly one item is
 * malformed.
 */

import { jsonText, type LenientObject, type LenientValue, parseLenientJson } from '../json/lenient-json.ts';
import type { CredentialsType } from './types.ts';

export interface ProvisionRequest {
  readonly deviceName: string;
  readonly key: string;
  readonly secret: string;
  readonly credentialsType: CredentialsType;
  readonly token: string;
  readonly hash: string;
  readonly username: string;
  readonly password: string;
  readonly clientId: string;
  readonly gateway: boolean;
}

export type ReadRequest =
  | { readonly ok: true; readonly request: ProvisionRequest }
  | { readonly ok: false; readonly message: string };

const CREDENTIALS_TYPES: readonly CredentialsType[] = [
  'ACCESS_TOKEN',
  'X509_CERTIFICATE',
  'MQTT_BASIC',
  'LWM2M_CREDENTIALS',
];

/** Thrown for the first malformed member; `readProvisionRequest` converts it to a result. */
class BadMember extends Error {
  override readonly name = 'BadMember';
  readonly code = 'BAD_MEMBER';
}

export function readProvisionRequest(body: string): ReadRequest {
  const parsed = parseLenientJson(body);
  if (!parsed.ok) return parsed;
  if (parsed.value.type !== 'object') {
    return { ok: false, message: `Can't parse value: ${jsonText(parsed.value)}` };
  }
  try {
    return { ok: true, request: readMembers(parsed.value) };
  } catch (error) {
    if (error instanceof BadMember) return { ok: false, message: error.message };
    throw error;
  }
}

function readMembers(body: LenientObject): ProvisionRequest {
  return {
    deviceName: optionalText(body, 'deviceName'),
    credentialsType: readCredentialsType(body),
    token: optionalText(body, 'token'),
    hash: optionalText(body, 'hash'),
    username: optionalText(body, 'username'),
    password: optionalText(body, 'password'),
    clientId: optionalText(body, 'clientId'),
    key: requiredText(body, 'provisionDeviceKey'),
    secret: requiredText(body, 'provisionDeviceSecret'),
    gateway: optionalText(body, 'gateway').toLowerCase() === 'true',
  };
}

function readCredentialsType(body: LenientObject): CredentialsType {
  if (!body.members.has('credentialsType')) return 'ACCESS_TOKEN';
  const text = optionalText(body, 'credentialsType');
  const type = CREDENTIALS_TYPES.find((candidate) => candidate === text);
  if (type === undefined) throw new BadMember(`No enum constant CredentialsType.${text}`);
  return type;
}

/** Like the real server, the message repeats the whole body, including the secret (3.6). */
function requiredText(body: LenientObject, name: string): string {
  if (!body.members.has(name)) {
    throw new BadMember(`Failed to find the field ${name} in JSON body ${jsonText(body)}!`);
  }
  return optionalText(body, name);
}

function optionalText(body: LenientObject, name: string): string {
  const value = body.members.get(name);
  return value === undefined ? '' : asText(name, value);
}

function asText(name: string, value: LenientValue): string {
  switch (value.type) {
    case 'string':
      return value.text;
    case 'number':
      return value.literal;
    case 'boolean':
      return String(value.value);
    case 'array': {
      const [only, ...others] = value.items;
      if (only === undefined || others.length > 0) break;
      return asText(name, only);
    }
    case 'null':
    case 'object':
      break;
  }
  throw new BadMember(`${name}: ${jsonText(value)} is not a text`);
}
