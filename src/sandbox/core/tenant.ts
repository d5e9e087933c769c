/**
 * The state of the sandbox, shared by the core (device requests) and the administration, and the changes of
 * shared attributes, which notify the device. Contains no other rules.
 */

import { type SandboxClock, systemClock } from './clock.ts';
import { DataPointLimit } from './data-point-limit.ts';
import { defaultKnobs, KnobError, updateKnobs } from './knobs.ts';
import { Latency } from './latency.ts';
import { attributesText } from './model/attributes.ts';
import { randomAlphanumerics } from './model/credentials.ts';
import { type Device, Devices } from './model/devices.ts';
import type { Knobs } from './model/types.ts';
import type { StoredValue } from './model/values.ts';
import { Packages } from './packages.ts';
import { PointRecord, type RecordBounds } from './point-record.ts';
import type { ProfileKeys } from './provisioning.ts';
import { RpcQueue } from './rpc-queue.ts';
import { Subscriptions } from './subscriptions.ts';

export interface CoreOptions {
  /** The device profile's key and secret. */
  readonly provisioning: ProfileKeys;
  readonly knobs?: Partial<Knobs>;
  /** Devices of the previous run. */
  readonly devices?: readonly Device[];
  /** Called after every change of a device that must be persisted. */
  readonly devicesChanged?: () => void;
  readonly log?: (line: string) => void;
  readonly clock?: SandboxClock;
  readonly generateToken?: () => string;
  readonly recordBounds?: RecordBounds;
  /** How long a transport waits for the core; default 10 s (contract section 10). */
  readonly coreTimeoutMs?: number;
  /** Minimum timeout of a server-side RPC; default 5 s (section 6). */
  readonly rpcTimeoutMinMs?: number;
}

const CORE_TIMEOUT_MS = 10_000;
const RPC_TIMEOUT_MIN_MS = 5_000;

export class Tenant {
  readonly knobs: Knobs = defaultKnobs();
  readonly profile: ProfileKeys;
  readonly clock: SandboxClock;
  readonly devices: Devices;
  readonly latency: Latency;
  readonly record: PointRecord;
  readonly rpc: RpcQueue;
  readonly subscriptions = new Subscriptions();
  readonly packages = new Packages();
  readonly dataPointLimit: DataPointLimit;
  readonly log: (line: string) => void;
  readonly generateToken: () => string;
  readonly rpcTimeoutMinMs: number;
  readonly startedAtMs: number;
  /** Server clock of the last valid token check, by device ID. */
  readonly lastSeenAtMs = new Map<string, number>();
  readonly #requests = new Map<string, number>();

  constructor(options: CoreOptions) {
    const problems = updateKnobs(this.knobs, options.knobs ?? {});
    if (problems.length > 0) throw new KnobError(problems);
    this.profile = options.provisioning;
    this.clock = options.clock ?? systemClock;
    this.devices = new Devices(options.devicesChanged ?? (() => undefined));
    for (const device of options.devices ?? []) this.devices.restore(device);
    this.latency = new Latency(this.knobs, this.clock, options.coreTimeoutMs ?? CORE_TIMEOUT_MS);
    this.record = new PointRecord(options.recordBounds);
    this.rpc = new RpcQueue(this.clock);
    this.dataPointLimit = new DataPointLimit(this.knobs, () => this.clock.nowMs());
    this.log = options.log ?? (() => undefined);
    this.generateToken = options.generateToken ?? randomAlphanumerics;
    this.rpcTimeoutMinMs = options.rpcTimeoutMinMs ?? RPC_TIMEOUT_MIN_MS;
    this.startedAtMs = this.clock.nowMs();
  }

  /** Writes shared attributes and notifies the device of all of them, also of unchanged ones (section 5). */
  writeSharedAttributes(device: Device, values: ReadonlyMap<string, StoredValue>): void {
    if (values.size === 0) return;
    for (const [key, stored] of values) device.attributes.shared.set(key, stored);
    this.devices.markChanged();
    this.subscriptions.notifySharedAttributes(device.id, attributesText(values));
  }

  /** Deletes shared attributes and notifies the device of all these keys, also of those it did not have. */
  deleteSharedAttributes(device: Device, keys: readonly string[]): void {
    for (const key of keys) device.attributes.shared.delete(key);
    this.devices.markChanged();
    this.subscriptions.notifySharedAttributes(device.id, JSON.stringify({ deleted: keys }));
  }

  /** Counts requests by result, such as `telemetry accepted`. */
  count(request: string): void {
    this.#requests.set(request, (this.#requests.get(request) ?? 0) + 1);
  }

  requests(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#requests].sort());
  }
}
