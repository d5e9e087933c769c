/**
 * Maps method and path to a route (contract section 1.1). Pure. The feature is segment 4, or segment 3 if the
 * fourth is missing or a number (the form for client certificates), in any case. A rejected request is
 * answered at once.
 */

import type { PackageType } from '../core/model/types.ts';
import type { CoapRequest } from './message.ts';
import { optionNumber, readUint } from './options.ts';

export type Route =
  /** `isAcknowledged`: not piggybacked, but after an empty ACK. */
  | {
      readonly to: 'rejected';
      readonly code: '4.00' | '4.01' | '4.04' | '4.05';
      readonly isAcknowledged?: true;
    }
  | { readonly to: 'banner' | 'discovery' | 'provision' }
  | ({ readonly to: 'telemetry' | 'attributes' | 'claim' | 'client-rpc' | 'read' } & ByDevice)
  | ({ readonly to: 'rpc-reply'; readonly id: number } & ByDevice)
  | ({ readonly to: 'observe' | 'cancel'; readonly feature: 'attributes' | 'rpc' } & ByDevice)
  | { readonly to: 'package'; readonly type: PackageType; readonly token: string };

interface ByDevice {
  /** Undefined: the request relies on a client certificate. */
  readonly token: string | undefined;
}

const GET = '0.01';
const POST = '0.02';

type Feature = 'attributes' | 'telemetry' | 'rpc' | 'claim' | 'provision';

const features: ReadonlySet<string> = new Set<Feature>([
  'attributes',
  'telemetry',
  'rpc',
  'claim',
  'provision',
]);

export function findRoute(request: CoapRequest): Route {
  const { path, code } = request;
  const [root, second] = path;
  if (root === undefined) return code === GET ? { to: 'banner' } : rejected('4.05');
  if (root === 'fw') return packageRoute('firmware', request);
  if (root === 'sw') return packageRoute('software', request);
  if (root === '.well-known') {
    if (path.length === 1) return rejected('4.05');
    if (path.length > 2 || second !== 'core') return rejected('4.04');
    return code === GET ? { to: 'discovery' } : rejected('4.05');
  }
  if (root !== 'api') return rejected('4.04');
  if (second === undefined) return rejected('4.05');
  if (second !== 'v1') return rejected('4.04');
  if (code === GET) return getRoute(request);
  return code === POST ? postRoute(request) : rejected('4.05');
}

function getRoute(request: CoapRequest): Route {
  const feature = featureOf(request.path);
  if (feature !== 'attributes' && feature !== 'rpc') return rejected('4.00');
  const observe = observeOf(request);
  if (feature === 'rpc' && observe === undefined) return rejected('4.00');
  const token = tokenOf(request.path);
  switch (observe) {
    case 'register':
      return { to: 'observe', feature, token };
    case 'cancel':
      return { to: 'cancel', feature, token };
    case undefined:
      return { to: 'read', token };
  }
}

function postRoute({ path }: CoapRequest): Route {
  const feature = featureOf(path);
  if (feature === undefined) return rejected('4.00');
  if (feature === 'provision') return { to: 'provision' };
  return postFor(feature, tokenOf(path), path);
}

function postFor(
  feature: Exclude<Feature, 'provision'>,
  token: string | undefined,
  path: readonly string[],
): Route {
  switch (feature) {
    case 'telemetry':
    case 'attributes':
    case 'claim':
      return { to: feature, token };
    case 'rpc': {
      const id = rpcIdOf(path);
      return id === undefined ? { to: 'client-rpc', token } : { to: 'rpc-reply', token, id };
    }
  }
}

function packageRoute(type: PackageType, { path, code }: CoapRequest): Route {
  if (code !== GET) return rejected('4.05');
  const [, token] = path;
  // All of OTA is acknowledged at once (section 14).
  if (token === undefined || path.length !== 2) return { ...rejected('4.01'), isAcknowledged: true };
  return { to: 'package', type, token };
}

function featureOf(path: readonly string[]): Feature | undefined {
  const [, , third, fourth] = path;
  const certificateForm = fourth === undefined || (path.length === 4 && /^\p{Nd}+$/u.test(fourth));
  const word = (certificateForm ? third : fourth)?.toLowerCase();
  return word !== undefined && isFeature(word) ? word : undefined;
}

function isFeature(word: string): word is Feature {
  return features.has(word);
}

/** The token is segment 3 if there is a fourth; otherwise the request relies on a client certificate. */
function tokenOf(path: readonly string[]): string | undefined {
  return path.length >= 4 ? path[2] : undefined;
}

/** A missing or non-numeric ID means device-to-server RPC (section 6). The ID is a 32-bit integer. */
function rpcIdOf(path: readonly string[]): number | undefined {
  const text = path.length >= 5 ? path[4] : path[3];
  if (text === undefined || !/^[+-]?\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id === (id | 0) ? id : undefined;
}

/** Observe values other than 0 and 1 are ignored, and a request for a later block does not register. */
function observeOf({ options }: CoapRequest): 'register' | 'cancel' | undefined {
  const observe = readUint(options, optionNumber.observe, 3);
  const block2 = readUint(options, optionNumber.block2, 3) ?? 0;
  if (observe === 1) return 'cancel';
  return observe === 0 && block2 < 16 ? 'register' : undefined;
}

function rejected(code: Extract<Route, { to: 'rejected' }>['code']): Extract<Route, { to: 'rejected' }> {
  return { to: 'rejected', code };
}
