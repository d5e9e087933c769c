/**
 * The admin port's endpoints, one row each: the list `GET /` shows is the table that is served.
 *
 * A row reads what it needs from the call and answers with a status and a JSON value; refusals are `{"error":"sentence"}`.
 */

import { isJsonObject } from '../core/json-object.ts';
import type { RpcOutcome } from '../core/rpc-queue.ts';
import type { AdminAnswer, SandboxAdmin } from '../core/tenant-admin.ts';
import { parseQuery, readDeviceWish, readRpcWish } from './admin-input.ts';

export interface AdminControls {
  readonly admin: SandboxAdmin;
  /** Restarts the whole sandbox: core and front doors. */
  readonly restart: () => void;
}

export interface AdminCall {
  /** The NAME of the path; empty where the path has none. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly text: string;
  /** The body parsed; undefined when there is none. */
  readonly body: unknown;
}

export interface AdminReply {
  readonly status: number;
  readonly value: unknown;
}

export interface AdminEndpoint {
  readonly method: string;
  /** NAME stands for one segment. */
  readonly path: string;
  readonly does: string;
  readonly run: (call: AdminCall, controls: AdminControls) => AdminReply | Promise<AdminReply>;
}

export function refusal(status: number, error: string): AdminReply {
  return { status, value: { error } };
}

export const ADMIN_ENDPOINTS: readonly AdminEndpoint[] = [
  {
    method: 'GET',
    path: '/',
    does: 'this list',
    run: () =>
      ok({ endpoints: ADMIN_ENDPOINTS.map(({ method, path, does }) => `${method} ${path}: ${does}`) }),
  },
  {
    method: 'GET',
    path: '/devices',
    does: 'all devices with token and attributes',
    run: (_call, { admin }) => ok(admin.devices()),
  },
  {
    method: 'POST',
    path: '/devices',
    does: 'creates a pre-provisioned device from {"name", "token"?, "profile"?}',
    run: ({ body }, { admin }) => {
      const wish = readDeviceWish(body);
      return wish.ok ? answered(admin.createDevice(wish.value), 201) : refusal(400, wish.message);
    },
  },
  {
    method: 'DELETE',
    path: '/devices/NAME',
    does: 'deletes the device; its observations end and its token is unauthorized',
    run: ({ name }, { admin }) => answered(admin.deleteDevice(name)),
  },
  {
    method: 'POST',
    path: '/devices/NAME/revoke',
    does: 'gives the device a new random token',
    run: ({ name }, { admin }) => answered(admin.revokeToken(name)),
  },
  {
    method: 'POST',
    path: '/devices/NAME/clear-provision-state',
    does: 'lets a pre-provisioned device be provisioned again',
    run: ({ name }, { admin }) => answered(admin.clearProvisionState(name)),
  },
  {
    method: 'PUT',
    path: '/devices/NAME/attributes',
    does: 'writes shared attributes from a flat object and notifies the device',
    run: ({ name, text }, { admin }) => answered(admin.setSharedAttributes(name, text)),
  },
  {
    method: 'DELETE',
    path: '/devices/NAME/attributes',
    does: 'deletes the shared attributes of ?keys=a,b and notifies the device',
    run: ({ name, query }, { admin }) => {
      const keys = (query.get('keys') ?? '').split(',').filter((key) => key !== '');
      if (keys.length === 0) return refusal(400, 'keys: give the attributes to delete as ?keys=a,b');
      return answered(admin.deleteSharedAttributes(name, keys));
    },
  },
  {
    method: 'POST',
    path: '/devices/NAME/rpc',
    does: 'sends a command from {"method", "params"?, "oneWay"?, "timeoutMs"?} and waits for its end',
    run: async ({ name, body }, { admin }) => {
      const wish = readRpcWish(body);
      if (!wish.ok) return refusal(400, wish.message);
      const answer = await admin.sendRpc(name, wish.value);
      return answer.ok ? rpcReply(answer.value) : answered(answer);
    },
  },
  {
    method: 'GET',
    path: '/points',
    does: 'stored points, oldest first; ?device=&key=&since=<ts ms>&limit=<newest so many, default 1000>',
    run: ({ query }, { admin }) => {
      const read = parseQuery(query);
      return read.ok ? ok(admin.points(read.value)) : refusal(400, read.message);
    },
  },
  {
    method: 'GET',
    path: '/duplicates',
    does: 'points stored twice, and datagrams received twice',
    run: (_call, { admin }) => ok({ points: admin.duplicatePoints(), datagrams: admin.duplicateDatagrams() }),
  },
  {
    method: 'GET',
    path: '/stats',
    does: 'the sandbox in numbers',
    run: (_call, { admin }) => ok(admin.stats()),
  },
  {
    method: 'GET',
    path: '/knobs',
    does: 'all knobs as they stand',
    run: (_call, { admin }) => ok(admin.knobs()),
  },
  {
    method: 'PATCH',
    path: '/knobs',
    does: 'turns the knobs named in an object, all or none',
    run: ({ body }, { admin }) =>
      isJsonObject(body)
        ? answered(admin.turnKnobs(body))
        : refusal(400, 'the body must be an object of knobs'),
  },
  {
    method: 'POST',
    path: '/restart',
    does: 'forgets observations, message ids and RPC ids, as a restarted server; keeps devices and points',
    run: (_call, { restart }) => {
      restart();
      return ok({ restarted: true });
    },
  },
];

function ok(value: unknown): AdminReply {
  return { status: 200, value };
}

function answered<T>(answer: AdminAnswer<T>, status = 200): AdminReply {
  if (answer.ok) return { status, value: answer.value };
  return refusal(answer.problem === 'no-device' ? 404 : 400, answer.message);
}

/** As the server's REST API: 504 both when nobody subscribed and when no reply came (contract, section 6). */
function rpcReply(outcome: RpcOutcome): AdminReply {
  switch (outcome.status) {
    case 'delivered':
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
