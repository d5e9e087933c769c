/**
 * Decides a provisioning request in the order of the server (contract section 3.3) and writes the response
 * (3.2). The order matters: a wrong secret looks like a wrong key, and a provisioned device like an unknown
 * one. A second identical request gets FAILURE (3.5).
 */

import { chooseCredentials, credentialsValue, randomAlphanumerics } from './model/credentials.ts';
import { type Device, type Devices, SANDBOX_PROFILE } from './model/devices.ts';
import { trimJava } from './model/names.ts';
import type { ProvisionRequest } from './model/provision-request.ts';
import type { Knobs } from './model/types.ts';

/** `reason` is only logged. */
export type ProvisionDecision =
  | { readonly status: 'SUCCESS'; readonly device: Device }
  | { readonly status: 'FAILURE'; readonly reason: string }
  | { readonly status: 'NOT_FOUND'; readonly reason: string }
  /** The core does not answer: certificate-chain strategy. */
  | { readonly status: 'NO_ANSWER' };

/** The device profile's provisioning key and secret. */
export interface ProfileKeys {
  readonly key: string;
  readonly secret: string;
}

export interface ProvisionContext {
  readonly devices: Devices;
  readonly knobs: Knobs;
  readonly profile: ProfileKeys;
  readonly generateToken: () => string;
  readonly nowMs: number;
}

const PROVISION_STATE = 'provisionState';

export function decideProvision(request: ProvisionRequest, context: ProvisionContext): ProvisionDecision {
  const { knobs, profile } = context;
  const name = trimJava(request.deviceName);
  if (request.deviceName !== '' && name === '') return failure('the name is only white space');
  if (request.key === '' || request.secret === '') return notFound('empty key or secret');
  if (request.key !== profile.key) return notFound('no profile has this key');
  if (knobs.strategy === 'disabled') return notFound('provisioning is disabled');
  if (knobs.strategy === 'chain') return { status: 'NO_ANSWER' };
  if (request.secret !== profile.secret) return notFound('wrong secret');
  return knobs.strategy === 'create'
    ? createDevice(name, request, context)
    : provisionExisting(name, context);
}

/** The exact text of the response, members in the order of the server. */
export function provisionAnswerText(decision: Exclude<ProvisionDecision, { status: 'NO_ANSWER' }>): string {
  switch (decision.status) {
    case 'SUCCESS': {
      const { credentials } = decision.device;
      const answer = { credentialsType: credentials.type, status: 'SUCCESS' };
      const value = credentialsValue(credentials);
      return JSON.stringify(value === undefined ? answer : { credentialsValue: value, ...answer });
    }
    case 'FAILURE':
      return JSON.stringify({ errorMsg: 'Failed to provision device!', status: 'FAILURE' });
    case 'NOT_FOUND':
      return JSON.stringify({ errorMsg: 'Provision data was not found!', status: 'NOT_FOUND' });
  }
}

/** Allows a pre-provisioned device to be provisioned again. True if it had been provisioned. */
export function clearProvisionState(device: Device): boolean {
  return device.attributes.server.delete(PROVISION_STATE);
}

function createDevice(name: string, request: ProvisionRequest, context: ProvisionContext): ProvisionDecision {
  const { devices, knobs, generateToken, nowMs } = context;
  if (devices.findByName(name) !== undefined) return failure('a device of that name exists');
  if (knobs.deviceLimitReached) return failure("the tenant's device limit is reached");
  const choice = chooseCredentials(request, generateToken);
  if (!choice.ok) return failure(choice.reason);
  const created = devices.create({
    // Without a name the device gets a random one, which the response does not contain (3.4).
    name: name === '' ? randomAlphanumerics() : name,
    credentials: choice.credentials,
    gateway: request.gateway,
    createdAtMs: nowMs,
  });
  if (!created.ok) return failure(created.reason);
  markProvisioned(created.device, devices);
  return { status: 'SUCCESS', device: created.device };
}

/** The device keeps its credentials; those in the request are ignored. */
function provisionExisting(name: string, { devices, knobs }: ProvisionContext): ProvisionDecision {
  const device = devices.findByName(name);
  if (device === undefined) return failure('no such pre-provisioned device');
  if (device.profile !== SANDBOX_PROFILE) return failure('the device is in another profile');
  if (device.attributes.server.has(PROVISION_STATE) && !knobs.repeatedProvisioning) {
    return failure('already provisioned');
  }
  markProvisioned(device, devices);
  return { status: 'SUCCESS', device };
}

function markProvisioned(device: Device, devices: Devices): void {
  device.attributes.server.set(PROVISION_STATE, { type: 'string', value: 'provisioned' });
  devices.markChanged();
}

function failure(reason: string): ProvisionDecision {
  return { status: 'FAILURE', reason };
}

function notFound(reason: string): ProvisionDecision {
  return { status: 'NOT_FOUND', reason };
}
