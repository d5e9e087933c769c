/** Validates the input of the admin port. An error message names every wrong key with its value and bound. */

import { isJsonObject } from '../core/json/lenient-json.ts';
import { CHECKSUM_ALGORITHMS, type PackageInput } from '../core/packages.ts';
import type { PointQuery } from '../core/point-record.ts';
import type { DeviceInput, RpcInput } from '../core/tenant-admin.ts';

export type InputResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

type MemberRule = readonly [bound: string, allows: (value: unknown) => boolean];

const POINTS_LIMIT = 1_000;
/** Maximum timeout of an RPC, ms. */
const RPC_TIMEOUT_MS_MAX = 3_600_000;

const text: MemberRule = [
  'a text of at least one character',
  (value) => typeof value === 'string' && value !== '',
];
const flag: MemberRule = ['true or false', (value) => typeof value === 'boolean'];
const anything: MemberRule = ['any JSON', () => true];
const algorithm: MemberRule = [
  `one of ${CHECKSUM_ALGORITHMS.join(', ')}`,
  (value) => CHECKSUM_ALGORITHMS.some((known) => known === value),
];
const timeout: MemberRule = [
  `a number of milliseconds from 1 to ${RPC_TIMEOUT_MS_MAX}`,
  (value) => typeof value === 'number' && value >= 1 && value <= RPC_TIMEOUT_MS_MAX,
];

export function readDeviceInput(body: unknown): InputResult<DeviceInput> {
  return readMembers(
    body,
    ['name'],
    { name: text, token: text, profile: text },
    ({ name, token, profile }) => ({
      name: String(name),
      ...(token === undefined ? {} : { token: String(token) }),
      ...(profile === undefined ? {} : { profile: String(profile) }),
    }),
  );
}

export function readCertificateInput(body: unknown): InputResult<string> {
  return readMembers(body, ['certificate'], { certificate: text }, ({ certificate }) => String(certificate));
}

export function readRpcInput(body: unknown): InputResult<RpcInput> {
  const rules = { method: text, params: anything, oneWay: flag, timeoutMs: timeout };
  return readMembers(body, ['method'], rules, ({ method, params, oneWay, timeoutMs }) => ({
    method: String(method),
    params,
    oneWay: oneWay === true,
    ...(timeoutMs === undefined ? {} : { timeoutMs: Number(timeoutMs) }),
  }));
}

export function parseQuery(query: URLSearchParams): InputResult<PointQuery> {
  const parsed: { device?: string; key?: string; since?: number; limit: number } = { limit: POINTS_LIMIT };
  for (const [name, value] of query) {
    switch (name) {
      case 'device':
      case 'key':
        parsed[name] = value;
        break;
      case 'since':
      case 'limit':
        if (!/^[0-9]{1,15}$/.test(value)) {
          return invalid(`${name}: ${JSON.stringify(value)} is not a whole number of 0 or more`);
        }
        parsed[name] = Number(value);
        break;
      default:
        return invalid(`${name}: there is no such query; there are device, key, since, limit`);
    }
  }
  return { ok: true, value: parsed };
}

/** From the query; `data` is empty for a package at a `url`. */
export function readPackageInput(query: URLSearchParams, data: Buffer): InputResult<PackageInput> {
  const rules = {
    title: text,
    version: text,
    tag: text,
    fileName: text,
    checksumAlgorithm: algorithm,
    checksum: text,
    url: text,
  };
  return readMembers(Object.fromEntries(query), ['title', 'version'], rules, (members) => ({
    // The rules leave only texts, and the names of algorithms.
    ...(members as Omit<PackageInput, 'data'>),
    data,
  }));
}

/** Reports all problems at once; `build` gets only valid members. */
function readMembers<Name extends string, T>(
  body: unknown,
  required: readonly NoInfer<Name>[],
  rules: Readonly<Record<Name, MemberRule>>,
  build: (members: Readonly<Partial<Record<Name, unknown>>>) => T,
): InputResult<T> {
  const names = Object.keys(rules).join(', ');
  if (!isJsonObject(body)) return invalid(`the body must be a JSON object with ${names}`);
  const known: Readonly<Record<string, MemberRule>> = rules;
  const problems: string[] = [];
  for (const name of required) if (body[name] === undefined) problems.push(`${name}: is missing`);
  for (const [name, value] of Object.entries(body)) {
    const rule = Object.hasOwn(known, name) ? known[name] : undefined;
    if (rule === undefined) problems.push(`${name}: there is no such member; there are ${names}`);
    else if (!rule[1](value)) problems.push(`${name}: ${JSON.stringify(value)} is not ${rule[0]}`);
  }
  if (problems.length > 0) return invalid(problems.join('; '));
  return { ok: true, value: build(body as Partial<Record<Name, unknown>>) };
}

function invalid(message: string): InputResult<never> {
  return { ok: false, message };
}
