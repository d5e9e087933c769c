/** A profile, and the configuration of an agent that uses it. */

import type { Sandbox } from '../../src/sandbox/sandbox.ts';

export const provisioning = { key: 'pk1', secret: 'ps1-the-secret' };

export function toml(sandbox: Sandbox, pair = `key = "pk1"\nsecret = "ps1-the-secret"`, device = ''): string {
  return `[server]
url = "coap://127.0.0.1:${sandbox.coapPort}"
spread = "0s"
[provisioning]
${pair}
[device]
name = "gw-test"
${device}
[telemetry]
interval = "1s"
`;
}
