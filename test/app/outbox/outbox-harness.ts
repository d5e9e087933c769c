/** Configuration and readings of an agent with an outbox. */

import { openSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts';

export const provisioning = { key: 'key-of-the-profile', secret: 'secret-of-the-profile' };

export const TOKEN = 'token-of-the-outbox-test';

export function toml(coapPort: number): string {
  return `[server]
url = "coap://127.0.0.1:${coapPort}"
spread = "0s"
[device]
token = "${TOKEN}"
[telemetry]
interval = "1s"
# Each reading has a value that changes, so that they can be counted.
deadband = "uptimeS=0.1"
[outbox]
spool-after = "5s"
flush-every = "5s"
[clock]
trust = "system"
[log]
level = "debug"
`;
}

export async function sandboxWithDevice(coapPort: number): Promise<Sandbox> {
  const sandbox = await openSandbox({ provisioning, coapPort });
  sandbox.core.admin.createDevice({ name: 'gw-outbox', token: TOKEN });
  return sandbox;
}
