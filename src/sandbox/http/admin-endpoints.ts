/**
 * The table of the admin endpoints, which `GET /` lists. Every response is JSON; an error is
 * `{"error":"sentence"}`.
 */

import { isJsonObject } from '../core/json/lenient-json.ts';
import type { PackageType } from '../core/model/types.ts';
import type { RpcOutcome } from '../core/rpc-queue.ts';
import type { AdminAnswer, SandboxAdmin } from '../core/tenant-admin.ts';
import {
  parseQuery,
  readCertificateInput,
  readDeviceInput,
  readPackageInput,
  readRpcInput,
} from './admin-input.ts';

export interface AdminControls {
  readonly admin: SandboxAdmin;
  /** Restarts the core and both device servers. */
  readonly restart: () => void;
}

export interface AdminCall {
  /** The segment NAME of the path; empty if the path has none. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly bytes: Buffer;
  /** Empty if the endpoint takes bytes. */
  readonly text: string;
  /** The parsed body; undefined if there is none. */
  readonly body: unknown;
}

export interface AdminReply {
  readonly status: number;
  readonly value: unknown;
}

export interface AdminEndpoint {
  readonly method: string;
  /** NAME matches one segment. */
  readonly path: string;
  readonly description: string;
  /** The body is the bytes of a package, not JSON. */
  readonly takesBytes?: true;
  readonly run: (call: AdminCall, controls: AdminControls) => AdminReply | Promise<AdminReply>;
}

export function failure(status: number, error: string): AdminReply {
  return { status, value: { error } };
}

export const ADMIN_ENDPOINTS: readonly AdminEndpoint[] = [
  {
    method: 'GET',
    path: '/',
    description: 'this list',
    run: () =>
      ok({
        endpoints: ADMIN_ENDPOINTS.map(
          ({ method, path, description }) => `${method} ${path}: ${description}`,
        ),
      }),
  },
  {
    method: 'GET',
    path: '/devices',
    description: 'lists all devices with token and attributes',
    run: (_call, { admin }) => ok(admin.devices()),
  },
  {
    method: 'POST',
    path: '/devices',
    description: 'creates a pre-provisioned device from {"name", "token"?, "profile"?}',
    run: ({ body }, { admin }) => {
      const input = readDeviceInput(body);
      return input.ok ? toReply(admin.createDevice(input.value), 201) : failure(400, input.message);
    },
  },
  {
    method: 'DELETE',
    path: '/devices/NAME',
    description: 'deletes the device, ends its observations and revokes its token',
    run: ({ name }, { admin }) => toReply(admin.deleteDevice(name)),
  },
  {
    method: 'POST',
    path: '/devices/NAME/revoke',
    description: 'gives the device a new random token',
    run: ({ name }, { admin }) => toReply(admin.revokeToken(name)),
  },
  {
    method: 'PUT',
    path: '/devices/NAME/certificate',
    description: 'replaces the token by the client certificate {"certificate"} in PEM, for coaps',
    run: ({ name, body }, { admin }) => {
      const input = readCertificateInput(body);
      return input.ok ? toReply(admin.setCertificate(name, input.value)) : failure(400, input.message);
    },
  },
  {
    method: 'POST',
    path: '/devices/NAME/clear-provision-state',
    description: 'lets a pre-provisioned device be provisioned again',
    run: ({ name }, { admin }) => toReply(admin.clearProvisionState(name)),
  },
  {
    method: 'PUT',
    path: '/devices/NAME/attributes',
    description: 'writes shared attributes from a flat object and notifies the device',
    run: ({ name, text }, { admin }) => toReply(admin.setSharedAttributes(name, text)),
  },
  {
    method: 'DELETE',
    path: '/devices/NAME/attributes',
    description: 'deletes the shared attributes of ?keys=a,b and notifies the device',
    run: ({ name, query }, { admin }) => {
      const keys = (query.get('keys') ?? '').split(',').filter((key) => key !== '');
      if (keys.length === 0) return failure(400, 'keys: give the attributes to delete as ?keys=a,b');
      return toReply(admin.deleteSharedAttributes(name, keys));
    },
  },
  ...packageEndpoints('firmware'),
  ...packageEndpoints('software'),
  {
    method: 'POST',
    path: '/devices/NAME/rpc',
    description: 'sends the RPC {"method", "params"?, "oneWay"?, "timeoutMs"?} and waits for its result',
    run: async ({ name, body }, { admin }) => {
      const input = readRpcInput(body);
      if (!input.ok) return failure(400, input.message);
      const answer = await admin.sendRpc(name, input.value);
      return answer.ok ? rpcReply(answer.value) : toReply(answer);
    },
  },
  {
    method: 'GET',
    path: '/points',
    description:
      'lists stored points, oldest first; ?device=&key=&since=<ts ms>&limit=<newest N, default 1000>',
    run: ({ query }, { admin }) => {
      const read = parseQuery(query);
      return read.ok ? ok(admin.points(read.value)) : failure(400, read.message);
    },
  },
  {
    method: 'GET',
    path: '/duplicates',
    description: 'lists points stored twice and datagrams received twice',
    run: (_call, { admin }) => ok({ points: admin.duplicatePoints(), datagrams: admin.duplicateDatagrams() }),
  },
  {
    method: 'GET',
    path: '/stats',
    description: 'shows counters of points and requests',
    run: (_call, { admin }) => ok(admin.stats()),
  },
  {
    method: 'GET',
    path: '/knobs',
    description: 'shows all knobs',
    run: (_call, { admin }) => ok(admin.knobs()),
  },
  {
    method: 'PATCH',
    path: '/knobs',
    description: 'sets the knobs named in an object, all or none',
    run: ({ body }, { admin }) =>
      isJsonObject(body)
        ? toReply(admin.updateKnobs(body))
        : failure(400, 'the body must be an object of knobs'),
  },
  {
    method: 'POST',
    path: '/restart',
    description: 'simulates a restart: loses observations, message IDs and RPC IDs, keeps devices and points',
    run: (_call, { restart }) => {
      restart();
      return ok({ restarted: true });
    },
  },
];

function packageEndpoints(type: PackageType): readonly AdminEndpoint[] {
  const path = `/devices/NAME/${type}`;
  return [
    {
      method: 'PUT',
      path,
      description:
        `assigns the body as ${type} package ?title=&version=, optionally &tag=&fileName=` +
        '&checksumAlgorithm=&checksum=, or &url= without a body, and notifies the device',
      takesBytes: true,
      run: ({ name, query, bytes }, { admin }) => {
        const input = readPackageInput(query, bytes);
        return input.ok ? toReply(admin.assignPackage(name, type, input.value)) : failure(400, input.message);
      },
    },
    {
      method: 'DELETE',
      path,
      description: `leaves the device without a ${type} package and notifies it`,
      run: ({ name }, { admin }) => toReply(admin.unassignPackage(name, type)),
    },
  ];
}

function ok(value: unknown): AdminReply {
  return { status: 200, value };
}

function toReply<T>(answer: AdminAnswer<T>, status = 200): AdminReply {
  if (answer.ok) return { status, value: answer.value };
  return failure(answer.problem === 'no-device' ? 404 : 400, answer.message);
}

/** Like the server's REST API: 504 without a subscription and without a reply (contract section 6). */
function rpcReply(outcome: RpcOutcome): AdminReply {
  switch (outcome.status) {
    case 'sent':
    case 'replied':
      return ok(outcome);
    case 'timeout':
      return { status: 504, value: { error: 'the device did not answer in time', ...outcome } };
    case 'no-subscription':
      return { status: 504, value: { error: 'the device did not ask for commands in time', ...outcome } };
    case 'failed':
      return { status: 504, value: { error: 'the command was given up', ...outcome } };
  }
}
