/** A core without latency, and a device in it. */

import assert from 'node:assert/strict';
import { openCore, type SandboxCoreWithAdmin } from '../../../src/sandbox/core/core.ts';
import type { DeviceHandle } from '../../../src/sandbox/core/model/types.ts';
import type { CoreOptions } from '../../../src/sandbox/core/tenant.ts';

export const PROFILE = { key: 'pk1', secret: 'ps1' };
export const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';

export function openQuickCore(options: Partial<CoreOptions> = {}): SandboxCoreWithAdmin {
  return openCore({
    provisioning: PROFILE,
    ...options,
    knobs: { coreLatencyMinMs: 0, coreLatencyMaxMs: 0, ...options.knobs },
  });
}

/** A device named gw-0001 with the example token of the contract. */
export async function withDevice(core: SandboxCoreWithAdmin, token = TOKEN): Promise<DeviceHandle> {
  const created = core.admin.createDevice({ name: 'gw-0001', token });
  assert.ok(created.ok);
  return handleOf(core, token);
}

export async function handleOf(core: SandboxCoreWithAdmin, token: string): Promise<DeviceHandle> {
  const check = await core.checkToken(token);
  assert.ok(check.status === 'ok');
  return check.device;
}

/** A provisioning body with the right key and secret; `undefined` leaves a member out. */
export function provisionBody(members: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ provisionDeviceKey: 'pk1', provisionDeviceSecret: 'ps1', ...members });
}
