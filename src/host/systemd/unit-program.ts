/** Why the service cannot run its program, as far as that can be seen without running it. */

import { accessSync, constants, readlinkSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** ProtectHome= of the unit hides these. */
const HIDDEN = /^\/(home|root|run\/user)\//;

/** Cause and remedy; undefined if the service can run it, or if only running it can tell. */
export function findProgramProblem(
  path: string,
  root = '/',
): { readonly cause: string; readonly remedy: string } | undefined {
  const remedy = `install Node 20.19 or later as ${path}, not as a link (Debian 13, Raspberry Pi OS 13: sudo apt install nodejs)`;
  const link = readLink(root, path);
  try {
    const real = realpathSync(join(root, path)).slice(root === '/' ? 0 : realpathSync(root).length);
    if (HIDDEN.test(real))
      return { cause: `${path} is a link to ${real}, which the service cannot read`, remedy };
    accessSync(join(root, path), constants.X_OK);
    return undefined;
  } catch {
    if (link !== undefined && HIDDEN.test(link))
      return { cause: `${path} is a link to ${link}, which the service cannot read`, remedy };
    return { cause: `${path} does not exist or is not executable`, remedy };
  }
}

function readLink(root: string, path: string): string | undefined {
  try {
    return resolve(path, '..', readlinkSync(join(root, path)));
  } catch {
    return undefined;
  }
}
