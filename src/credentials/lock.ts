/**
 * The lock of a state directory: a listening Unix socket in the abstract namespace, named after the device and inode of the
 * directory. The kernel releases it when its process ends, also after kill -9.
 *
 * Limits: two containers that share the directory but not the network namespace do not see each other, and any local user can
 * take the name first.
 */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { errorCode } from '../core/model/error-code.ts';
import { makePrivateDirectory } from './private-files.ts';
import { StoreError, toStoreError } from './store-error.ts';

/** Held until it is disposed of or the process ends. It keeps no process alive, and no child inherits it. */
export type Lock = AsyncDisposable;

/** Creates the directory if it is missing. Rejects with AlreadyRunningError, or with a StoreError if locking is impossible. */
export async function acquireLock(directory: string): Promise<Lock> {
  const name = await prepareLockName(directory);
  const server = createServer({ pauseOnConnect: true }, (client) => client.destroy());
  server.unref();
  server.listen({ path: `\0${name}`, backlog: 1 });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw toLockError(error, directory, name);
  }
  // A client that cannot be accepted (no descriptor left) would otherwise end the process.
  server.on('error', () => {});
  return { [Symbol.asyncDispose]: () => close(server) };
}

/**
 * Whether an agent holds the lock of `directory`, according to the kernel's list. If this user cannot read the directory, whether
 * any agent holds a lock. Changes nothing, never rejects.
 */
export async function isLocked(directory: string): Promise<boolean> {
  const socketName = await lockName(directory).catch((error: unknown) =>
    errorCode(error) === 'EACCES' ? PREFIX : undefined,
  );
  if (socketName === undefined) return false;
  const sockets = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  return sockets.includes(` @${socketName}`);
}

/**
 * NUL, 11 characters and the 96 hex digits of a SHA-384 are the 108 bytes of the longest name. A shorter one would be two locks:
 * libuv 1.46 (Node 20) pads it with NULs, 1.48 (Node 22) does not. (Measured on 2026-11-22 with 20.20, 22.23 and 24.21.)
 */
async function prepareLockName(directory: string): Promise<string> {
  try {
    await makePrivateDirectory(directory);
    return await lockName(directory);
  } catch (error) {
    throw toStoreError(`the state directory ${directory} cannot be used`, error);
  }
}

const PREFIX = 'firstlight-';

async function lockName(directory: string): Promise<string> {
  const { dev, ino } = await stat(directory, { bigint: true });
  return `${PREFIX}${createHash('sha384').update(`state directory ${dev}:${ino}`).digest('hex')}`;
}

/** The part of a name that a message shows. */
const VISIBLE_CHARACTERS = PREFIX.length + 12;

function toLockError(error: unknown, directory: string, name: string): Error {
  const code = errorCode(error) ?? 'no code';
  if (code === 'EADDRINUSE') {
    return new AlreadyRunningError(directory, `@${name.slice(0, VISIBLE_CHARACTERS)}`, { cause: error });
  }
  const message = `the state directory ${directory} cannot be locked (${code}): check that the host runs Linux and that the unit has AF_UNIX in RestrictAddressFamilies=`;
  return new StoreError(message, { cause: error });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
  readonly code = 'ALREADY_RUNNING';

  /** `socket` is the beginning of the lock's name as `ss` shows it. */
  constructor(directory: string, socket: string, options?: ErrorOptions) {
    super(
      `another agent is already running on ${directory}: stop it, or choose another state directory with --state (if no agent is running, another program holds the lock: find it with "ss -xlp | grep ${socket}")`,
      options,
    );
  }
}
