/** Paths and methods of the HTTP device API (contract section 1.2) and their size limits (section 8). */

export type DeviceRoute =
  | { readonly to: 'provision' }
  | {
      readonly to: 'telemetry' | 'attributes' | 'updates' | 'rpc' | 'claim' | 'package';
      readonly token: string;
    }
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
      return { to: 'package', token };
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
