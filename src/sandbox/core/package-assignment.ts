/**
 * Assigns a package to a device, or none: the telemetry, the shared attributes and the notifications of the
 * real server, in its order (contract sections 7 and 14). Stale attributes are deleted, with a notification of
 * their own, before the new ones are written.
 */

import type { Device } from './model/devices.ts';
import type { PackageType } from './model/types.ts';
import type { StoredValue } from './model/values.ts';
import type { Package } from './packages.ts';
import type { Tenant } from './tenant.ts';

const PREFIXES: Readonly<Record<PackageType, string>> = { firmware: 'fw', software: 'sw' };
/** Those that a package may lack; then they are deleted. */
const OPTIONAL_KEYS = ['tag', 'url', 'size', 'checksum_algorithm', 'checksum'] as const;
/** What is deleted when a device is left without a package, in the order of the server. */
const ALL_KEYS = [
  'title',
  'version',
  'ts',
  'state',
  'size',
  'checksum',
  'checksum_algorithm',
  'url',
  'tag',
] as const;

export function assignPackage(tenant: Tenant, device: Device, type: PackageType, assigned: Package): void {
  const prefix = PREFIXES[type];
  tenant.packages.assign(device.id, type, assigned);
  const nowMs = tenant.clock.nowMs();
  const target = `target_${prefix}`;
  store(tenant, device, nowMs, [
    [`${target}_title`, text(assigned.title)],
    [`${target}_version`, text(assigned.version)],
    ...optional(`${target}_tag`, assigned.tag),
    [`${target}_ts`, { type: 'long', value: nowMs }],
    [`${prefix}_state`, text('QUEUED')],
  ]);
  // The real server needs some milliseconds between the two states.
  store(tenant, device, nowMs + 1, [[`${prefix}_state`, text('INITIATED')]]);
  const written = attributesOf(prefix, assigned);
  const optionalKeys = OPTIONAL_KEYS.map((name) => `${prefix}_${name}`);
  const stale = optionalKeys.filter((key) => !written.has(key));
  tenant.deleteSharedAttributes(device, stale);
  tenant.writeSharedAttributes(device, written);
}

export function unassignPackage(tenant: Tenant, device: Device, type: PackageType): void {
  tenant.packages.unassign(device.id, type);
  const keys = ALL_KEYS.map((name) => `${PREFIXES[type]}_${name}`);
  tenant.deleteSharedAttributes(device, keys);
}

function attributesOf(prefix: string, assigned: Package): Map<string, StoredValue> {
  const { title, version, tag, url, data, checksumAlgorithm, checksum } = assigned;
  return new Map([
    [`${prefix}_title`, text(title)],
    [`${prefix}_version`, text(version)],
    ...optional(`${prefix}_tag`, tag),
    ...optional(`${prefix}_url`, url),
    ...(data === undefined ? [] : [[`${prefix}_size`, { type: 'long', value: data.length }] as const]),
    ...optional(`${prefix}_checksum_algorithm`, checksumAlgorithm),
    ...optional(`${prefix}_checksum`, checksum),
  ]);
}

function store(
  { record }: Tenant,
  device: Device,
  ts: number,
  values: readonly (readonly [key: string, stored: StoredValue])[],
): void {
  for (const [key, stored] of values) {
    record.store({ device: device.name, key, ts, ...stored, via: 'server', tsGiven: true, storedAt: ts });
  }
}

function optional(key: string, value: string | undefined): readonly (readonly [string, StoredValue])[] {
  return value === undefined ? [] : [[key, text(value)]];
}

function text(value: string): StoredValue {
  return { type: 'string', value };
}
