/** Paths and methods of the HTTP device API (contract section 1.2) and their size limits (section 8). */

import type { PackageType } from '../core/model/types.ts';

export type DeviceRoute =
  | { readonly to: 'provision' }
  | {
      readonly to: 'telemetry' | 'attributes' | 'updates' | 'rpc' | 'claim';
      readonly token: string;
    }
  | { readonly to: 'package'; readonly type: PackageType; readonly token: string }
  /** `id` as in the path; not necessarily a number. */
  | { readonly to: 'rpc-reply'; readonly token: string; readonly id: string };

type Destination = DeviceRoute['to'];

const METHODS: Readonly<Record<Destination, readonly string[]>> = {
  provision: ['POST'],
  telemetry: ['POST'],
  attributes: ['GET', 'POST'],
  updates: ['GET'],
  rpc: ['GET', 'POST'],
  'rpc-reply': ['POST'],
  claim: ['POST'],
  package: ['GET'],
};

const RPC_BYTES_MAX = 65_536;
const OTHER_BYTES_MAX = 52_428_800;

/** Refused by the web server of the real server itself. */
const ENCODED_SLASH = /%2f/i;
/** Refused by its web firewall: `;`, `\\`, a doubled slash, and in encoded form also `%`, `.`, line breaks. */
const FORBIDDEN = /;|\\|\/\/|%(?:3b|5c|25|2e|00|0a|0d)/i;

/**
 * Who refuses the path, as in the request line without the query, before any token is looked at; undefined if
 * nobody does. So a token with such a character works over CoAP and never over HTTP (section 14).
 */
export function refusedBy(path: string): 'web server' | 'web firewall' | undefined {
  if (ENCODED_SLASH.test(path)) return 'web server';
  return FORBIDDEN.test(path) ? 'web firewall' : undefined;
}

/** Undefined if there is no such path. The segments are decoded. */
export function findRoute(segments: readonly string[]): DeviceRoute | undefined {
  const [api, version, token, feature, id, ...rest] = segments;
  if (api !== 'api' || version !== 'v1' || token === undefined || token === '' || rest.length > 0) {
    return undefined;
  }
  if (feature === undefined) return token === 'provision' ? { to: 'provision' } : undefined;
  if (id !== undefined) {
    if (feature === 'rpc' && id !== '') return { to: 'rpc-reply', token, id };
    return feature === 'attributes' && id === 'updates' ? { to: 'updates', token } : undefined;
  }
  switch (feature) {
    case 'telemetry':
    case 'attributes':
    case 'rpc':
    case 'claim':
      return { to: feature, token };
    case 'firmware':
    case 'software':
      return { to: 'package', type: feature, token };
    default:
      return undefined;
  }
}

export function allowsMethod(route: DeviceRoute, method: string): boolean {
  return METHODS[route.to].includes(method);
}

/** The maximum Content-Length of a request to this path. */
export function bytesMax(segments: readonly string[]): number {
  return segments[3] === 'rpc' ? RPC_BYTES_MAX : OTHER_BYTES_MAX;
}
