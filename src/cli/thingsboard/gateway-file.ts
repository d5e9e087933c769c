/** Writes the firstlight.toml of the gateways, which contains the provisioning secret: mode 0600, never over another file. */

import { lstatSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readTextFile } from '../../config/sources/read-text-file.ts';
import { errorCode } from '../../core/model/error-code.ts';

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
