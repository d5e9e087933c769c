/**
 * What on this host keeps systemd from starting the unit, where systemd itself reports a number only: 203/EXEC of
 * its program, 238/STATE_DIRECTORY of its state directory.
 */

import { accessSync, constants, lstatSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface UnitProblem {
  readonly cause: string;
  readonly remedy: string;
}

/** ProtectHome= of the unit hides these. */
const HIDDEN = /^\/(home|root|run\/user)\//;

/** Why the service cannot run its program; undefined if it can, or if only running it can tell. */
export function findProgramProblem(path: string, root = '/'): UnitProblem | undefined {
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

/** The state directory as the unit names it, and as systemd makes it. */
const PUBLIC_STATE = '/var/lib/firstlight';
const PRIVATE_STATE = '/var/lib/private/firstlight';

/**
 * What systemd cannot make a state directory of. Because of DynamicUser=, StateDirectory=firstlight is
 * /var/lib/private/firstlight and a link to it, /var/lib/firstlight. systemd moves a plain directory there, but
 * neither a mount point nor what a link of an operator points to (seen with 257: EBUSY, EEXIST, ELOOP).
 * Undefined if nothing is in the way. Another user than root cannot see all.
 */
export function findStateProblem(root = '/'): UnitProblem | undefined {
  const link = readLink(root, PUBLIC_STATE);
  if (link !== undefined && link !== PRIVATE_STATE)
    return {
      cause: `${PUBLIC_STATE} is a link to ${link}, and systemd needs the name for a link of its own`,
      remedy: `remove the link, and mount the directory at ${PRIVATE_STATE}: ${fstab(link)}`,
    };
  if (link === undefined && isMountPoint(root, PUBLIC_STATE))
    return {
      cause: `${PUBLIC_STATE} is a mount point, and systemd needs the name for a link to ${PRIVATE_STATE}`,
      remedy: `mount it at ${PRIVATE_STATE} instead: change the path in /etc/fstab or in the mount unit`,
    };
  if (link === undefined && isOther(root, PUBLIC_STATE))
    return { cause: `${PUBLIC_STATE} is not a directory`, remedy: 'move that file away' };
  const privateLink = readLink(root, PRIVATE_STATE);
  if (privateLink !== undefined)
    return {
      cause: `${PRIVATE_STATE} is a link to ${privateLink}, which systemd does not follow`,
      remedy: `remove the link, create a directory in its place, and mount: ${fstab(privateLink)}`,
    };
  return undefined;
}

function fstab(directory: string): string {
  return `add "${directory} ${PRIVATE_STATE} none bind 0 0" to /etc/fstab, then: sudo mount -a`;
}

/** The absolute target; undefined if it is no link, or this user cannot see it. */
function readLink(root: string, path: string): string | undefined {
  try {
    return resolve(path, '..', readlinkSync(join(root, path)));
  } catch {
    return undefined;
  }
}

function isOther(root: string, path: string): boolean {
  try {
    return !lstatSync(join(root, path)).isDirectory();
  } catch {
    return false;
  }
}

function isMountPoint(root: string, path: string): boolean {
  try {
    const lines = readFileSync(join(root, 'proc/self/mountinfo'), 'utf8').split('\n');
    return lines.some((line) => line.split(' ')[4] === path);
  } catch {
    return false;
  }
}
