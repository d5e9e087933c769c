/**
 * What an administrator, or a test, may do to the sandbox: devices, tokens, shared attributes, commands, knobs, queries.
 *
 * The HTTP admin port and in-process tests both use this. Refusals are values with a sentence; nothing here waits for the
 * latency knob, because it is not the device's road.
 */

import { type DeviceView, viewDevice } from './device-view.ts';
import { turnKnobs } from './knobs.ts';
import { attributesText, readAttributeBody } from './model/attributes.ts';
import type { Device } from './model/devices.ts';
import type { Knobs, StoredPoint } from './model/types.ts';
import type { DuplicatePoint, PointQuery } from './point-record.ts';
import { clearProvisionState } from './provisioning.ts';
import type { RpcOutcome } from './rpc-queue.ts';
import { type Stats, takeStats } from './stats.ts';
import type { Tenant } from './tenant.ts';

export type AdminAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: 'no-device' | 'invalid'; readonly message: string };

export interface DeviceWish {
  readonly name: string;
  readonly token?: string;
  readonly profile?: string;
}

export interface RpcWish {
  readonly method: string;
  readonly params?: unknown;
  readonly oneWay?: boolean;
  readonly timeoutMs?: number;
}

export interface SandboxAdmin {
  devices(): readonly DeviceView[];
  points(query?: PointQuery): readonly StoredPoint[];
  duplicatePoints(): readonly DuplicatePoint[];
  duplicateDatagrams(): readonly string[];
  stats(): Stats;
  knobs(): Readonly<Knobs>;
  /** All or nothing; the message lists every problem. Restarts the latency dice. */
  turnKnobs(patch: unknown): AdminAnswer<Readonly<Knobs>>;
  /** A pre-provisioned device, without the mark of having been provisioned. */
  createDevice(wish: DeviceWish): AdminAnswer<DeviceView>;
  deleteDevice(name: string): AdminAnswer<DeviceView>;
  /** Gives the device a new random token; the old one is unauthorized from now on. */
  revokeToken(name: string): AdminAnswer<DeviceView>;
  /** `json` is an object; its members are written and notified. */
  setSharedAttributes(name: string, json: string): AdminAnswer<DeviceView>;
  deleteSharedAttributes(name: string, keys: readonly string[]): AdminAnswer<DeviceView>;
  sendRpc(name: string, wish: RpcWish): Promise<AdminAnswer<RpcOutcome>>;
  clearProvisionState(name: string): AdminAnswer<DeviceView>;
  /** Forgets observations and RPC ids, keeps devices and the record. */
  restart(): void;
}

/** The server's default patience with a command (contract, section 6). */
const RPC_TIMEOUT_MS = 10_000;

export class TenantAdmin implements SandboxAdmin {
  readonly #tenant: Tenant;

  constructor(tenant: Tenant) {
    this.#tenant = tenant;
  }

  devices(): readonly DeviceView[] {
    return this.#tenant.devices.all().map((device) => viewDevice(this.#tenant, device));
  }

  points(query: PointQuery = {}): readonly StoredPoint[] {
    return this.#tenant.record.points(query);
  }

  duplicatePoints(): readonly DuplicatePoint[] {
    return this.#tenant.record.duplicatePoints();
  }

  duplicateDatagrams(): readonly string[] {
    return this.#tenant.record.duplicateDatagrams();
  }

  stats(): Stats {
    return takeStats(this.#tenant);
  }

  knobs(): Readonly<Knobs> {
    return { ...this.#tenant.knobs };
  }

  turnKnobs(patch: unknown): AdminAnswer<Readonly<Knobs>> {
    const problems = turnKnobs(this.#tenant.knobs, patch);
    if (problems.length > 0) return invalid(problems.join('; '));
    this.#tenant.latency.reseed();
    return { ok: true, value: this.knobs() };
  }

  createDevice({ name, token, profile }: DeviceWish): AdminAnswer<DeviceView> {
    const created = this.#tenant.devices.create({
      name,
      credentials: { type: 'ACCESS_TOKEN', token: token ?? this.#tenant.mintToken() },
      createdAtMs: this.#tenant.clock.nowMs(),
      ...(profile === undefined ? {} : { profile }),
    });
    return created.ok ? this.#seen(created.device) : invalid(created.why);
  }

  deleteDevice(name: string): AdminAnswer<DeviceView> {
    return this.#with(name, (device) => {
      this.#tenant.devices.remove(device);
      this.#tenant.subscriptions.end(device.id, 'deleted');
      this.#tenant.rpc.forget(device.id);
      return this.#seen(device);
    });
  }

  revokeToken(name: string): AdminAnswer<DeviceView> {
    return this.#with(name, (device) => {
      const credentials = { type: 'ACCESS_TOKEN', token: this.#tenant.mintToken() } as const;
      this.#tenant.devices.replaceCredentials(device, credentials);
      this.#tenant.subscriptions.end(device.id, 'revoked');
      return this.#seen(device);
    });
  }

  setSharedAttributes(name: string, json: string): AdminAnswer<DeviceView> {
    return this.#with(name, (device) => {
      const read = readAttributeBody(json, this.#tenant.knobs.typeCast);
      if (!read.ok) return invalid(read.message);
      if (read.values.size === 0) return this.#seen(device);
      for (const [key, stored] of read.values) device.attributes.shared.set(key, stored);
      this.#tenant.devices.touched();
      this.#tenant.subscriptions.tellSharedAttributes(device.id, attributesText(read.values));
      return this.#seen(device);
    });
  }

  deleteSharedAttributes(name: string, keys: readonly string[]): AdminAnswer<DeviceView> {
    return this.#with(name, (device) => {
      const deleted = keys.filter((key) => device.attributes.shared.delete(key));
      if (deleted.length === 0) return invalid(`none of ${keys.join(', ')} is a shared attribute of ${name}`);
      this.#tenant.devices.touched();
      this.#tenant.subscriptions.tellSharedAttributes(device.id, JSON.stringify({ deleted }));
      return this.#seen(device);
    });
  }

  async sendRpc(name: string, wish: RpcWish): Promise<AdminAnswer<RpcOutcome>> {
    const { devices, rpc, subscriptions, rpcTimeoutMinMs } = this.#tenant;
    const device = devices.named(name);
    if (device === undefined) return noDevice(name);
    const request = {
      method: wish.method,
      params: JSON.stringify(wish.params ?? null),
      oneWay: wish.oneWay ?? false,
      timeoutMs: Math.max(wish.timeoutMs ?? RPC_TIMEOUT_MS, rpcTimeoutMinMs),
    };
    const outcome = await rpc.send(device.id, request, (command) =>
      subscriptions.tellRpc(device.id, command),
    );
    return { ok: true, value: outcome };
  }

  clearProvisionState(name: string): AdminAnswer<DeviceView> {
    return this.#with(name, (device) => {
      if (clearProvisionState(device)) this.#tenant.devices.touched();
      return this.#seen(device);
    });
  }

  restart(): void {
    this.#tenant.subscriptions.forget();
    this.#tenant.rpc.restart();
  }

  #with(name: string, act: (device: Device) => AdminAnswer<DeviceView>): AdminAnswer<DeviceView> {
    const device = this.#tenant.devices.named(name);
    return device === undefined ? noDevice(name) : act(device);
  }

  #seen(device: Device): AdminAnswer<DeviceView> {
    return { ok: true, value: viewDevice(this.#tenant, device) };
  }
}

function noDevice(name: string): AdminAnswer<never> {
  return { ok: false, problem: 'no-device', message: `there is no device ${JSON.stringify(name)}` };
}

function invalid(message: string): AdminAnswer<never> {
  return { ok: false, problem: 'invalid', message };
}
