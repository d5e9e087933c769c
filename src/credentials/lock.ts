/**
 * One firstlight per state directory: two would provision one device twice and overwrite each other's token.
 *
 * The lock is a listening unix socket in Linux's abstract namespace, named after the directory's device and
 * inode, so that every path to one directory is one lock. The kernel lets one process have the name and takes
 * it back when that process is gone, however it went: nothing is ever stale after a kill -9, nothing is raced
 * for, no file is left behind. It keeps no process alive, no child inherits it, and whoever connects is hung
 * up on.
 *
 * Limits: the namespace is that of the network, so two containers that share a directory and not a network do
 * not see each other; and any local user may take the name first, which AlreadyRunning admits in its message.
 */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { errorCode } from '../core/model/error-code.ts';
import { makePrivateDirectory } from './durable.ts';
import { StoreError, toStoreError } from './store-error.ts';

/** Held until it is disposed of, or the process ends. */
export type Lock = AsyncDisposable;

/**
 * Makes the directory if it is missing. Rejects with AlreadyRunning, or with a StoreError when nobody could
 * lock it.
 */
export async function acquireLock(directory: string): Promise<Lock> {
  const name = await prepareLockName(directory);
  const server = createServer({ pauseOnConnect: true }, (client) => client.destroy());
  server.unref();
  server.listen({ path: `\0${name}`, backlog: 1 });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw failure(error, directory, name);
  }
  // A caller that could not be accepted (no descriptor left) is no loss; without a listener it would end the
  // process.
  server.on('error', () => {});
  return { [Symbol.asyncDispose]: () => close(server) };
}

/**
 * Whether an agent holds the lock of `directory`, by what the kernel lists of it, so that nothing is made and nobody is
 * connected to. A user who may not look into the directory is told of any firstlight's lock. Never rejects.
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
 * 11 characters and the 96 hex digits of a SHA-384 are, with the NUL before them, the 108 bytes that a name
 * can have. It must have them all: libuv 1.46 (Node 20) pads a shorter name with NULs, from 1.48 on (Node 22)
 * it does not, so that one name would be two locks between two Nodes. (Measured on 2026-11-22 with 20.20,
 * 22.23 and 24.21, by /proc/net/unix.)
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

/** So much of a name tells one lock from another; the whole of it is no reading for an operator. */
const VISIBLE_CHARACTERS = PREFIX.length + 12;

function failure(error: unknown, directory: string, name: string): Error {
  const code = errorCode(error) ?? 'no code';
  if (code === 'EADDRINUSE') {
    return new AlreadyRunningError(directory, `@${name.slice(0, VISIBLE_CHARACTERS)}`, { cause: error });
  }
  const message = `the state directory ${directory} cannot be locked (${code}): this needs Linux, and AF_UNIX among the unit's RestrictAddressFamilies=`;
  return new StoreError(message, { cause: error });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

/**
 * Why the lock of a state directory was refused: somebody holds it. The message says who it may be and what
 * to do.
 */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
  readonly code = 'ALREADY_RUNNING';

  /**
   * `socket` is how the lock's name begins where `ss` shows it: any program of this host could have taken it.
   */
  constructor(directory: string, socket: string, options?: ErrorOptions) {
    super(
      `another firstlight already runs on ${directory}; stop it, or give this one another state directory with --state (if none runs, another program holds its lock: "ss -xlp | grep ${socket}" shows which)`,
      options,
    );
  }
}
