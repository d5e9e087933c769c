/**
 * The administration of the sandbox, for the admin port and for tests: devices, tokens, shared attributes,
 * RPC, knobs, queries. An error is a value with a sentence. The latency knob does not apply.
 */

import { type DeviceView, viewDevice } from './device-view.ts';
import { updateKnobs } from './knobs.ts';
import { readAttributeBody } from './model/attributes.ts';
import { certificateText } from './model/credentials.ts';
import type { Device } from './model/devices.ts';
import type { Knobs, PackageType, StoredPoint } from './model/types.ts';
import { assignPackage, unassignPackage } from './package-assignment.ts';
import { createPackage, type PackageInput } from './packages.ts';
import type { DeviceCounters, DuplicatePoint, PointQuery, PointRecord } from './point-record.ts';
import { clearProvisionState } from './provisioning.ts';
import type { RpcOutcome } from './rpc-queue.ts';
import type { Tenant } from './tenant.ts';

export type AdminAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: 'no-device' | 'invalid'; readonly message: string };

export interface DeviceInput {
  readonly name: string;
  readonly token?: string;
  readonly profile?: string;
}

export interface RpcInput {
  readonly method: string;
  readonly params?: unknown;
  readonly oneWay?: boolean;
  readonly timeoutMs?: number;
}

export interface Stats {
  readonly startedAtMs: number;
  readonly devices: number;
  readonly points: ReturnType<PointRecord['totals']>;
  /** Requests by result, such as `telemetry accepted` or `provision SUCCESS`. */
  readonly requests: Readonly<Record<string, number>>;
  /** By device name; absent without stored points. */
  readonly perDevice: Readonly<Record<string, Readonly<DeviceCounters>>>;
}

export interface SandboxAdmin {
  devices(): readonly DeviceView[];
  points(query?: PointQuery): readonly StoredPoint[];
  duplicatePoints(): readonly DuplicatePoint[];
  duplicateDatagrams(): readonly string[];
  stats(): Stats;
  knobs(): Readonly<Knobs>;
  /**
   * Applies all knobs or none; the message lists every problem. Restarts the random source of the latency.
   */
  updateKnobs(patch: unknown): AdminAnswer<Readonly<Knobs>>;
  /** Creates a pre-provisioned device that has not been provisioned yet. */
  createDevice(input: DeviceInput): AdminAnswer<DeviceView>;
  deleteDevice(name: string): AdminAnswer<DeviceView>;
  /** Replaces the token with a new random one. */
  revokeToken(name: string): AdminAnswer<DeviceView>;
  /** Replaces the credentials with a certificate in PEM (contract section 9). */
  setCertificate(name: string, pem: string): AdminAnswer<DeviceView>;
  /** `json` is an object; its members are stored and notified. */
  setSharedAttributes(name: string, json: string): AdminAnswer<DeviceView>;
  deleteSharedAttributes(name: string, keys: readonly string[]): AdminAnswer<DeviceView>;
  /** Assigns a package for an update over the air, and notifies the device. */
  assignPackage(name: string, type: PackageType, input: PackageInput): AdminAnswer<DeviceView>;
  unassignPackage(name: string, type: PackageType): AdminAnswer<DeviceView>;
  sendRpc(name: string, input: RpcInput): Promise<AdminAnswer<RpcOutcome>>;
  clearProvisionState(name: string): AdminAnswer<DeviceView>;
  /** Loses observations and RPC IDs, keeps devices and the record. */
  restart(): void;
}

/** The server's default timeout of an RPC, ms (contract section 6). */
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
    return collectStats(this.#tenant);
  }

  knobs(): Readonly<Knobs> {
    return { ...this.#tenant.knobs };
  }

  updateKnobs(patch: unknown): AdminAnswer<Readonly<Knobs>> {
    const problems = updateKnobs(this.#tenant.knobs, patch);
    if (problems.length > 0) return invalid(problems.join('; '));
    this.#tenant.latency.reseed();
    return { ok: true, value: this.knobs() };
  }

  createDevice({ name, token, profile }: DeviceInput): AdminAnswer<DeviceView> {
    const created = this.#tenant.devices.create({
      name,
      credentials: { type: 'ACCESS_TOKEN', token: token ?? this.#tenant.generateToken() },
      createdAtMs: this.#tenant.clock.nowMs(),
      ...(profile === undefined ? {} : { profile }),
    });
    return created.ok ? this.#viewResult(created.device) : invalid(created.reason);
  }

  deleteDevice(name: string): AdminAnswer<DeviceView> {
    return this.#withDevice(name, (device) => {
      this.#tenant.devices.remove(device);
      this.#tenant.subscriptions.end(device.id, 'deleted');
      this.#tenant.rpc.forget(device.id);
      this.#tenant.dataPointLimit.forget(device.id);
      for (const type of ['firmware', 'software'] as const) this.#tenant.packages.unassign(device.id, type);
      return this.#viewResult(device);
    });
  }

  revokeToken(name: string): AdminAnswer<DeviceView> {
    return this.#withDevice(name, (device) => {
      const credentials = { type: 'ACCESS_TOKEN', token: this.#tenant.generateToken() } as const;
      this.#tenant.devices.replaceCredentials(device, credentials);
      this.#tenant.subscriptions.end(device.id, 'revoked');
      return this.#viewResult(device);
    });
  }

  setCertificate(name: string, pem: string): AdminAnswer<DeviceView> {
    return this.#withDevice(name, (device) => {
      const certificate = certificateText(pem);
      if (!/^[A-Za-z0-9+/]+=*$/.test(certificate)) return invalid('certificate: give one certificate in PEM');
      const owner = this.#tenant.devices.findByCertificate(certificate);
      if (owner !== undefined && owner !== device) return invalid(`${owner.name} has this certificate`);
      this.#tenant.devices.replaceCredentials(device, { type: 'X509_CERTIFICATE', certificate });
      this.#tenant.subscriptions.end(device.id, 'revoked');
      return this.#viewResult(device);
    });
  }

  setSharedAttributes(name: string, json: string): AdminAnswer<DeviceView> {
    return this.#withDevice(name, (device) => {
      const parsed = readAttributeBody(json, this.#tenant.knobs.typeCast, 'administrator');
      if (!parsed.ok) return invalid(parsed.message);
      this.#tenant.writeSharedAttributes(device, parsed.values);
      return this.#viewResult(device);
    });
  }

  deleteSharedAttributes(name: string, keys: readonly string[]): AdminAnswer<DeviceView> {
    return this.#withDevice(name, (device) => {
      if (!keys.some((key) => device.attributes.shared.has(key))) {
        return invalid(`none of ${keys.join(', ')} is a shared attribute of ${name}`);
      }
      this.#tenant.deleteSharedAttributes(device, keys);
      return this.#viewResult(device);
    });
  }

  assignPackage(name: string, type: PackageType, input: PackageInput): AdminAnswer<DeviceView> {
    return this.#withDevice(name, (device) => {
      const creation = createPackage(input);
      if (!creation.ok) return invalid(creation.message);
      assignPackage(this.#tenant, device, type, creation.created);
      return this.#viewResult(device);
    });
  }

  unassignPackage(name: string, type: PackageType): AdminAnswer<DeviceView> {
    return this.#withDevice(name, (device) => {
      unassignPackage(this.#tenant, device, type);
      return this.#viewResult(device);
    });
  }

  async sendRpc(name: string, input: RpcInput): Promise<AdminAnswer<RpcOutcome>> {
    const { devices, rpc, subscriptions, rpcTimeoutMinMs } = this.#tenant;
    const device = devices.findByName(name);
    if (device === undefined) return noDevice(name);
    const request = {
      method: input.method,
      params: JSON.stringify(input.params ?? null),
      oneWay: input.oneWay ?? false,
      timeoutMs: Math.max(input.timeoutMs ?? RPC_TIMEOUT_MS, rpcTimeoutMinMs),
    };
    const outcome = await rpc.send(device.id, request, (command) =>
      subscriptions.notifyRpc(device.id, command),
    );
    return { ok: true, value: outcome };
  }

  clearProvisionState(name: string): AdminAnswer<DeviceView> {
    return this.#withDevice(name, (device) => {
      if (clearProvisionState(device)) this.#tenant.devices.markChanged();
      return this.#viewResult(device);
    });
  }

  restart(): void {
    this.#tenant.subscriptions.forget();
    this.#tenant.rpc.restart();
  }

  #withDevice(name: string, action: (device: Device) => AdminAnswer<DeviceView>): AdminAnswer<DeviceView> {
    const device = this.#tenant.devices.findByName(name);
    return device === undefined ? noDevice(name) : action(device);
  }

  #viewResult(device: Device): AdminAnswer<DeviceView> {
    return { ok: true, value: viewDevice(this.#tenant, device) };
  }
}

function collectStats(tenant: Tenant): Stats {
  return {
    startedAtMs: tenant.startedAtMs,
    devices: tenant.devices.all().length,
    points: tenant.record.totals(),
    requests: tenant.requests(),
    perDevice: Object.fromEntries(tenant.record.allCounters()),
  };
}

function noDevice(name: string): AdminAnswer<never> {
  return { ok: false, problem: 'no-device', message: `there is no device ${JSON.stringify(name)}` };
}

function invalid(message: string): AdminAnswer<never> {
  return { ok: false, problem: 'invalid', message };
}
