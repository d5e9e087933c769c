/** A core with its HTTP device API on a free port, and a client. */

import type { SandboxCoreWithAdmin } from '../../../src/sandbox/core/core.ts';
import type { CoreOptions } from '../../../src/sandbox/core/tenant.ts';
import { type HttpDeviceApiOptions, openHttpDeviceApi } from '../../../src/sandbox/http/http-device-api.ts';
import { type HttpAnswer, type HttpCall, httpClient } from './http-client.ts';
import { openQuickCore } from './quick-core.ts';

export interface HttpHarness extends AsyncDisposable {
  readonly core: SandboxCoreWithAdmin;
  readonly port: number;
  call(method: string, path: string, body?: HttpCall['body'], more?: Partial<HttpCall>): Promise<HttpAnswer>;
  restart(): void;
}

/** An hour, so that a test that waits for the asynchronous timeout fails. */
const ASYNC_TIMEOUT_MS = 3_600_000;

export async function openHttpHarness(
  options: Partial<CoreOptions> & Partial<Pick<HttpDeviceApiOptions, 'asyncTimeoutMs'>> = {},
): Promise<HttpHarness> {
  const core = openQuickCore(options);
  const api = await openHttpDeviceApi({
    core,
    host: '127.0.0.1',
    port: 0,
    log: (line) => console.error(line),
    asyncTimeoutMs: options.asyncTimeoutMs ?? ASYNC_TIMEOUT_MS,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const client = httpClient(api.port);
  return {
    core,
    port: api.port,
    call: (method, path, body, more = {}) =>
      client({ method, path, ...(body === undefined ? {} : { body }), ...more }),
    restart: () => api.restart(),
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]();
      core.close();
    },
  };
}

/** Resolves when the device has an open observation or long poll. */
export async function waitForListener(core: SandboxCoreWithAdmin, name = 'gw-0001'): Promise<void> {
  while (!core.admin.devices().some((device) => device.name === name && device.listeners > 0)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
