/**
 * A core with configurable answers and delays, for the tests of the CoAP message layer. It has one device,
 * `gw-1`, with the token `tok`, and records every call.
 */

import { defaultKnobs } from '../../../src/sandbox/core/knobs.ts';
import type {
  DeviceHandle,
  DeviceListener,
  Knobs,
  PackageAnswer,
  PackageRequest,
  PostAnswer,
  SandboxCore,
  TokenCheck,
} from '../../../src/sandbox/core/model/types.ts';

export const gateway: DeviceHandle = { id: 'd1', name: 'gw-1', coapAllowed: true };

export class FakeCoapCore implements SandboxCore {
  readonly knobs: Knobs = { ...defaultKnobs(), coreLatencyMinMs: 0, coreLatencyMaxMs: 0 };
  /** How long the token check and provisioning take. */
  latencyMs = 0;
  post: PostAnswer = { status: 'accepted' };
  devices = new Map<string, TokenCheck>([['tok', { status: 'ok', device: gateway }]]);
  certificates = new Map<string, TokenCheck>();
  attributes = '{"client":{"a":1}}';
  package: PackageAnswer = { status: 'none' };
  pending: { readonly id: number; readonly json: string }[] = [];
  readonly calls: string[] = [];
  readonly duplicates: string[] = [];
  readonly delivered: string[] = [];
  readonly listeners = new Set<DeviceListener>();

  async provision(body: string) {
    this.calls.push(`provision ${body}`);
    await this.#wait();
    return { status: 'answered', success: true, json: '{"status":"SUCCESS"}' } as const;
  }

  async checkToken(token: string): Promise<TokenCheck> {
    await this.#wait();
    return this.devices.get(token) ?? { status: 'unauthorized' };
  }

  async checkCertificate(certificate: string): Promise<TokenCheck> {
    await this.#wait();
    return this.certificates.get(certificate) ?? { status: 'unauthorized' };
  }

  telemetry(_device: DeviceHandle, body: string) {
    return this.#post(`telemetry ${body}`);
  }

  publishAttributes(_device: DeviceHandle, body: string) {
    return this.#post(`attributes ${body}`);
  }

  async readAttributes(
    _device: DeviceHandle,
    keys: { readonly clientKeys?: readonly string[]; readonly sharedKeys?: readonly string[] },
  ) {
    this.calls.push(`read ${JSON.stringify(keys)}`);
    return this.attributes === ''
      ? ({ status: 'nothing' } as const)
      : ({ status: 'found', json: this.attributes } as const);
  }

  async sharedAttributes(): Promise<string> {
    return '{}';
  }

  subscribe(_device: DeviceHandle, listener: DeviceListener): () => void {
    this.listeners.add(listener);
    for (const command of this.pending) listener.rpc?.(command);
    return () => this.listeners.delete(listener);
  }

  rpcDelivered(_device: DeviceHandle, id: number, delivered: boolean): void {
    this.delivered.push(`${id} ${delivered}`);
  }

  rpcReply(_device: DeviceHandle, id: number, body: string) {
    return this.#post(`rpc reply ${id} ${body}`);
  }

  clientRpc(_device: DeviceHandle, body: string) {
    return this.#post(`client rpc ${body}`);
  }

  claim(_device: DeviceHandle, body: string) {
    return this.#post(`claim ${body}`);
  }

  async readPackage(_device: DeviceHandle, packageRequest: PackageRequest): Promise<PackageAnswer> {
    this.calls.push(`package ${JSON.stringify(packageRequest)}`);
    return this.package;
  }

  recordDuplicateDatagram(detail: string): void {
    this.duplicates.push(detail);
  }

  notifyAttributes(json: string): void {
    for (const listener of this.listeners) listener.sharedAttributes?.(json);
  }

  command(id: number, json = `{"id":${id}}`): void {
    for (const listener of this.listeners) listener.rpc?.({ id, json });
  }

  endDevice(): void {
    for (const listener of [...this.listeners]) listener.ended?.('deleted');
  }

  async #post(call: string): Promise<PostAnswer> {
    this.calls.push(call);
    return this.post;
  }

  async #wait(): Promise<void> {
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
  }
}
