/** The firstlight.toml of the gateways, for the boot partition. */

import { PROFILE_NAME } from '../assets/names.ts';
import type { ProvisioningPair } from '../assets/profile.ts';

/** `urls`: server.url of the gateways, at least one. Without the secret unless `withSecret`. */
export function gatewayFile(urls: readonly string[], pair: ProvisioningPair, withSecret: boolean): string {
  const url = urls.length === 1 ? text(urls[0] ?? '') : `[${urls.map(text).join(', ')}]`;
  const secret = withSecret
    ? `secret = ${text(pair.secret.reveal())}`
    : '# secret = "…"  # see the device profile, or write this file with --write FILE';
  return [
    `# Device profile "${PROFILE_NAME}". Copy this file to the boot partition of the SD card as firstlight.toml.`,
    '[server]',
    `url = ${url}`,
    '',
    '[provisioning]',
    `key = ${text(pair.key)}`,
    secret,
    '',
  ].join('\n');
}

/** A basic string of TOML 1.0; a URL and a key contain no control characters. */
function text(value: string): string {
  return JSON.stringify(value);
}
