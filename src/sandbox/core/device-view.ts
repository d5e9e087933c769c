/** A device as JSON for the admin port, with its counters. */

import type { Scope } from './model/attributes.ts';
import type { Device } from './model/devices.ts';
import type { StoredPoint } from './model/types.ts';
import type { Tenant } from './tenant.ts';

type Plain = Readonly<Record<string, StoredPoint['value']>>;

export interface DeviceView {
  readonly id: string;
  readonly name: string;
  readonly profile: string;
  readonly gateway: boolean;
  readonly credentialsType: string;
  /** Absent if the device uses other credentials. */
  readonly token?: string;
  readonly createdAtMs: number;
  /** Server clock of the last request with a valid token; absent before the first. */
  readonly lastSeenAtMs?: number;
  readonly attributes: Readonly<Record<Scope, Plain>>;
  /** Open observations and long polls. */
  readonly listeners: number;
  /** Points stored since the sandbox started. */
  readonly points: number;
}

export function viewDevice(tenant: Tenant, device: Device): DeviceView {
  const { credentials, attributes } = device;
  const lastSeenAtMs = tenant.lastSeenAtMs.get(device.id);
  return {
    id: device.id,
    name: device.name,
    profile: device.profile,
    gateway: device.gateway,
    credentialsType: credentials.type,
    ...(credentials.type === 'ACCESS_TOKEN' ? { token: credentials.token } : {}),
    createdAtMs: device.createdAtMs,
    ...(lastSeenAtMs === undefined ? {} : { lastSeenAtMs }),
    attributes: {
      client: toPlain(attributes.client),
      shared: toPlain(attributes.shared),
      server: toPlain(attributes.server),
    },
    listeners: tenant.subscriptions.count(device.id),
    points: tenant.record.counters(device.name)?.points ?? 0,
  };
}

function toPlain(scope: Device['attributes'][Scope]): Plain {
  return Object.fromEntries([...scope].map(([key, stored]) => [key, stored.value]));
}
