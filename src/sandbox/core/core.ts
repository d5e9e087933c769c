/**
 * The core of the sandbox: handles device requests, independent of the protocol (see `model/types.ts`). As on
 * the real server, token checks, provisioning and attribute reads take the time of the latency knob. A post
 * is answered when it is queued, so it takes no time after the token check.
 */

import { jsonText, parseLenientJson } from './json/lenient-json.ts';
import {
  type AttributeKeys,
  attributesText,
  readAttributeBody,
  readAttributes,
  writeAttributes,
} from './model/attributes.ts';
import type { Device } from './model/devices.ts';
import { areStorable } from './model/names.ts';
import { readProvisionRequest } from './model/provision-request.ts';
import type {
  AttributeAnswer,
  DeviceHandle,
  DeviceListener,
  Knobs,
  PackageAnswer,
  PackageRequest,
  PostAnswer,
  ProvisionAnswer,
  SandboxCore,
  TokenCheck,
  Via,
} from './model/types.ts';
import { decideProvision, provisionAnswerText } from './provisioning.ts';
import { readTelemetry } from './telemetry.ts';
import { type CoreOptions, Tenant } from './tenant.ts';
import { type SandboxAdmin, TenantAdmin } from './tenant-admin.ts';

export interface SandboxCoreWithAdmin extends SandboxCore {
  readonly admin: SandboxAdmin;
  /** For the data file. */
  devices(): readonly Device[];
  /** Ends all waits; pending answers resolve at once. */
  close(): void;
}

export function openCore(options: CoreOptions): SandboxCoreWithAdmin {
  return new Core(new Tenant(options));
}

class Core implements SandboxCoreWithAdmin {
  readonly admin: SandboxAdmin;
  readonly knobs: Knobs;
  readonly #tenant: Tenant;

  constructor(tenant: Tenant) {
    this.#tenant = tenant;
    this.knobs = tenant.knobs;
    this.admin = new TenantAdmin(tenant);
  }

  async provision(body: string, via: Via): Promise<ProvisionAnswer> {
    const { latency, devices, knobs, profile, generateToken, clock, log } = this.#tenant;
    const parsed = readProvisionRequest(body);
    if (!parsed.ok) {
      this.#tenant.count('provision malformed');
      return { status: 'malformed', message: parsed.message };
    }
    const context = { devices, knobs, profile, generateToken, nowMs: clock.nowMs() };
    const decision = decideProvision(parsed.request, context);
    this.#tenant.count(`provision ${decision.status}`);
    const reason = 'reason' in decision ? ` (${decision.reason})` : '';
    log(`provision ${JSON.stringify(parsed.request.deviceName)} over ${via}: ${decision.status}${reason}`);
    if (decision.status === 'NO_ANSWER') return latency.timeOut<ProvisionAnswer>({ status: 'unavailable' });
    const success = decision.status === 'SUCCESS';
    const answer = { status: 'answered', success, json: provisionAnswerText(decision) } as const;
    return latency.delay<ProvisionAnswer>(answer, { status: 'unavailable' });
  }

  checkToken(token: string): Promise<TokenCheck> {
    return this.#checkDevice('token', this.#tenant.devices.findByToken(token));
  }

  checkCertificate(certificate: string): Promise<TokenCheck> {
    return this.#checkDevice('certificate', this.#tenant.devices.findByCertificate(certificate));
  }

  #checkDevice(credentials: 'token' | 'certificate', device: Device | undefined): Promise<TokenCheck> {
    const { latency, knobs, lastSeenAtMs, clock } = this.#tenant;
    if (device === undefined) {
      this.#tenant.count(`${credentials} unauthorized`);
      return latency.delay<TokenCheck>({ status: 'unauthorized' }, { status: 'unavailable' });
    }
    this.#tenant.count(`${credentials} ok`);
    lastSeenAtMs.set(device.id, clock.nowMs());
    const coapAllowed = knobs.transportType === 'DEFAULT' || knobs.transportType === 'COAP';
    const handle = { id: device.id, name: device.name, coapAllowed };
    return latency.delay<TokenCheck>({ status: 'ok', device: handle }, { status: 'unavailable' });
  }

  async telemetry(handle: DeviceHandle, body: string, via: Via): Promise<PostAnswer> {
    const { clock, record, knobs, dataPointLimit } = this.#tenant;
    return this.#post('telemetry', handle, (device) => {
      const storedAt = clock.nowMs();
      const parsed = readTelemetry(body, knobs.typeCast, storedAt);
      if (parsed.status !== 'points') return parsed;
      if (!dataPointLimit.consume(device.id, parsed.dataPoints)) return { status: 'failed' };
      for (const { key, ts, tsGiven, stored } of parsed.points) {
        record.store({ device: device.name, key, ts, ...stored, via, tsGiven, storedAt });
      }
      return { status: 'accepted' };
    });
  }

  async publishAttributes(handle: DeviceHandle, body: string, _via: Via): Promise<PostAnswer> {
    const { devices, knobs, dataPointLimit } = this.#tenant;
    return this.#post('attributes', handle, (device) => {
      const parsed = readAttributeBody(body, knobs.typeCast, 'device');
      if (!parsed.ok) return { status: 'malformed', message: parsed.message };
      const { values } = parsed;
      if (!dataPointLimit.consume(device.id, values.size)) return { status: 'failed' };
      const isStored = areStorable(values.keys());
      if (isStored && writeAttributes(device.attributes.client, values)) devices.markChanged();
      return { status: 'accepted' };
    });
  }

  async readAttributes(handle: DeviceHandle, keys: AttributeKeys): Promise<AttributeAnswer> {
    const device = this.#findAllowedDevice(handle);
    if (device === undefined) return { status: 'failed' };
    const answer = readAttributes(device.attributes, keys);
    // If the core is too slow for a read, the device gets no response (section 5).
    return this.#tenant.latency.delay<AttributeAnswer>(answer, { status: 'silent' });
  }

  async sharedAttributes(handle: DeviceHandle): Promise<string> {
    const device = this.#tenant.devices.findById(handle.id);
    const json = attributesText(device?.attributes.shared ?? []);
    return this.#tenant.latency.delay(json, json);
  }

  subscribe(handle: DeviceHandle, listener: DeviceListener): () => void {
    const { subscriptions, rpc } = this.#tenant;
    const unsubscribe = subscriptions.add(handle.id, listener);
    if (listener.rpc !== undefined) {
      const takesOne = listener.takesOneRpc === true;
      const pending = rpc.takePending(handle.id, takesOne ? 1 : Number.POSITIVE_INFINITY);
      if (takesOne && pending.length > 0) unsubscribe();
      for (const command of pending) listener.rpc(command);
    }
    return unsubscribe;
  }

  rpcDelivered(handle: DeviceHandle, id: number, delivered: boolean): void {
    this.#tenant.rpc.delivered(handle.id, id, delivered);
  }

  async rpcReply(handle: DeviceHandle, id: number, body: string, via: Via): Promise<PostAnswer> {
    return this.#post('rpc reply', handle, (device) => {
      const answer = readRpcReply(body, via);
      if (answer.status === 'accepted') this.#tenant.rpc.replied(device.id, id, body);
      return answer;
    });
  }

  async clientRpc(handle: DeviceHandle, body: string, via: Via): Promise<PostAnswer> {
    return this.#post('client rpc', handle, () => readClientRpc(body, via));
  }

  async claim(handle: DeviceHandle, body: string, _via: Via): Promise<PostAnswer> {
    return this.#post('claim', handle, () => readClaim(body));
  }

  async readPackage(handle: DeviceHandle, request: PackageRequest): Promise<PackageAnswer> {
    const device = this.#findAllowedDevice(handle);
    if (device === undefined) return { status: 'failed' };
    const answer = this.#tenant.packages.read(device.id, request);
    this.#tenant.count(`${request.type} ${answer.status}`);
    return this.#tenant.latency.delay<PackageAnswer>(answer, { status: 'failed' });
  }

  recordDuplicateDatagram(detail: string): void {
    this.#tenant.record.duplicateDatagram(detail);
  }

  devices(): readonly Device[] {
    return this.#tenant.devices.all();
  }

  close(): void {
    this.#tenant.latency.close();
    this.#tenant.rpc.restart();
  }

  #post(kind: string, handle: DeviceHandle, process: (device: Device) => PostAnswer): PostAnswer {
    const device = this.#findAllowedDevice(handle);
    const answer: PostAnswer = device === undefined ? { status: 'failed' } : process(device);
    this.#tenant.count(`${kind} ${answer.status}`);
    return answer;
  }

  /** Undefined under the rate limit, or if the device was deleted after the token check. */
  #findAllowedDevice(handle: DeviceHandle): Device | undefined {
    return this.#tenant.knobs.rateLimited ? undefined : this.#tenant.devices.findById(handle.id);
  }
}

/** Over CoAP a reply must be an object, else 5.00; over HTTP any text is accepted. */
export function readRpcReply(body: string, via: Via): PostAnswer {
  if (via === 'http') return { status: 'accepted' };
  const parsed = parseLenientJson(body);
  return parsed.ok && parsed.value.type === 'object' ? { status: 'accepted' } : { status: 'failed' };
}

/** With the default rule chain a well-formed RPC gets no reply. */
export function readClientRpc(body: string, via: Via): PostAnswer {
  const parsed = parseLenientJson(body);
  if (!parsed.ok || parsed.value.type !== 'object') return { status: 'failed' };
  const { members } = parsed.value;
  const complete = members.has('method') && (via === 'coap' || members.has('params'));
  return complete ? { status: 'silent' } : { status: 'failed' };
}

/** Accepted when queued, even if claiming is not allowed. The sandbox does not claim devices. */
export function readClaim(body: string): PostAnswer {
  if (body === '') return { status: 'accepted' };
  const parsed = parseLenientJson(body);
  if (!parsed.ok) return { status: 'malformed', message: parsed.message };
  if (parsed.value.type === 'object') return { status: 'accepted' };
  return { status: 'malformed', message: `Can't parse value: ${jsonText(parsed.value)}` };
}
