/** The firstlight.toml of the gateways, with the provisioning secret: mode 0600, never over another file. */

import { lstatSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readTextFile } from '../../config/sources/read-text-file.ts';
import { errorCode } from '../../core/model/error-code.ts';
import type { ProvisioningPair } from '../../thingsboard/assets/profile.ts';
import { PROFILE_NAME } from '../../thingsboard/assets/sources.ts';

const BYTES_MAX = 64 * 1024;

/** Why the file cannot be written, before anything is made; undefined if it probably can. */
export function writeProblem(path: string): string | undefined {
  try {
    if (!lstatSync(dirname(path)).isDirectory()) return `${dirname(path)} is not a directory`;
    return undefined;
  } catch (error) {
    return `${dirname(path)} cannot be used (${errorCode(error) ?? 'unknown error'}): create it, or name another file`;
  }
}

/** A file with the same content stays. The result is the problem. */
export function writeGatewayFile(path: string, text: string): string | undefined {
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx', flush: true });
    return undefined;
  } catch (error) {
    const code = errorCode(error) ?? 'unknown error';
    if (code !== 'EEXIST')
      return `${path} cannot be written (${code}): name another file; run the command again`;
    const file = readTextFile(path, BYTES_MAX);
    return file.is === 'text' && file.text === text
      ? undefined
      : `${path} exists with other content: delete it or name another file, and run the command again`;
  }
}

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
