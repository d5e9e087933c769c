/**
 * The devices of the tenant, by name, ID and credentials. Names and credentials are unique over all profiles;
 * an invalid device is not created (contract section 3.3, step 5).
 */

import { randomUUID } from 'node:crypto';
import { type AttributeScopes, emptyScopes } from './attributes.ts';
import { type Credentials, credentialsId } from './credentials.ts';
import { nameProblem } from './names.ts';

/** The only device profile of the sandbox; the admin port can create a device in another one (3.3). */
export const SANDBOX_PROFILE = 'default';

export interface Device {
  readonly id: string;
  readonly name: string;
  readonly profile: string;
  readonly gateway: boolean;
  readonly createdAtMs: number;
  readonly attributes: AttributeScopes;
  credentials: Credentials;
}

export interface NewDevice {
  readonly name: string;
  readonly credentials: Credentials;
  readonly createdAtMs: number;
  readonly profile?: string;
  readonly gateway?: boolean;
}

export type Creation =
  | { readonly ok: true; readonly device: Device }
  | { readonly ok: false; readonly reason: string };

export class Devices {
  readonly #byName = new Map<string, Device>();
  readonly #byId = new Map<string, Device>();
  readonly #byCredentials = new Map<string, Device>();
  readonly #onChanged: () => void;

  /** `onChanged` is called after every change that must be persisted. */
  constructor(onChanged: () => void) {
    this.#onChanged = onChanged;
  }

  create(newDevice: NewDevice): Creation {
    const reason = this.#problem(newDevice);
    if (reason !== undefined) return { ok: false, reason };
    const device: Device = {
      id: randomUUID(),
      name: newDevice.name,
      profile: newDevice.profile ?? SANDBOX_PROFILE,
      gateway: newDevice.gateway ?? false,
      createdAtMs: newDevice.createdAtMs,
      attributes: emptyScopes(),
      credentials: newDevice.credentials,
    };
    this.restore(device);
    this.#onChanged();
    return { ok: true, device };
  }

  /** Adds a stored device without validation. */
  restore(device: Device): void {
    this.#byName.set(device.name, device);
    this.#byId.set(device.id, device);
    this.#index(device);
  }

  remove(device: Device): void {
    this.#byName.delete(device.name);
    this.#byId.delete(device.id);
    this.#unindex(device);
    this.#onChanged();
  }

  replaceCredentials(device: Device, credentials: Credentials): void {
    this.#unindex(device);
    device.credentials = credentials;
    this.#index(device);
    this.#onChanged();
  }

  /** Must be called after a change of attributes. */
  markChanged(): void {
    this.#onChanged();
  }

  findByName(name: string): Device | undefined {
    return this.#byName.get(name);
  }

  findById(id: string): Device | undefined {
    return this.#byId.get(id);
  }

  findByToken(token: string): Device | undefined {
    return this.#findByCredentials({ type: 'ACCESS_TOKEN', token });
  }

  /** Base64 of its DER. */
  findByCertificate(certificate: string): Device | undefined {
    return this.#findByCredentials({ type: 'X509_CERTIFICATE', certificate });
  }

  all(): readonly Device[] {
    return [...this.#byName.values()];
  }

  #problem({ name, credentials }: NewDevice): string | undefined {
    const problem = nameProblem(name);
    if (problem !== undefined) return problem;
    if (this.#byName.has(name)) return 'a device of that name exists';
    if (this.#findByCredentials(credentials) !== undefined)
      return 'the credentials are used by another device';
    return undefined;
  }

  #findByCredentials(credentials: Credentials): Device | undefined {
    const id = credentialsId(credentials);
    return id === undefined ? undefined : this.#byCredentials.get(id);
  }

  #index(device: Device): void {
    const id = credentialsId(device.credentials);
    if (id !== undefined) this.#byCredentials.set(id, device);
  }

  #unindex(device: Device): void {
    const id = credentialsId(device.credentials);
    if (id !== undefined) this.#byCredentials.delete(id);
  }
}
