/** A sandbox with one device and a package of 5,000 bytes, of which every byte value occurs. */

import assert from 'node:assert/strict';
import type { PackageType } from '../../../src/sandbox/core/model/types.ts';
import type { PackageInput } from '../../../src/sandbox/core/packages.ts';
import { openSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts';
import { PROFILE, TOKEN } from './quick-core.ts';

export const PACKAGE = Buffer.from(
  Array.from({ length: 5_000 }, (_, index) => (index * 7 + (index >> 8)) & 255),
);

export interface PackageHarness extends AsyncDisposable {
  readonly sandbox: Sandbox;
  assign(type: PackageType, input?: Partial<PackageInput>): void;
}

export async function openPackageHarness(): Promise<PackageHarness> {
  const knobs = { coreLatencyMinMs: 0, coreLatencyMaxMs: 0 };
  const sandbox = await openSandbox({ provisioning: PROFILE, knobs });
  sandbox.core.admin.createDevice({ name: 'gw', token: TOKEN });
  return {
    sandbox,
    assign: (type, input = {}) => {
      const answer = sandbox.core.admin.assignPackage('gw', type, {
        title: 'firstlight',
        version: '2.0.0',
        ...('url' in input ? {} : { data: PACKAGE }),
        ...input,
      });
      assert.ok(answer.ok, answer.ok ? '' : answer.message);
    },
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}
