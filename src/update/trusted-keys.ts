/**
 * The public keys whose updates this gateway accepts: *.pem in a directory of root. Without any, updates are off.
 *
 * A file that others could have written is not used, and neither is any file of a directory that others can write.
 */

import { createPublicKey, type KeyObject } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../core/model/error-code.ts';
import { keyIdOf } from './update-key.ts';

export const KEYS_DIRECTORY = '/etc/firstlight/update-keys.d';
const KEYS_MAX = 16;
const KEY_BYTES_MAX = 4096;
const WRITABLE_BY_OTHERS = 0o022;

export interface TrustedKeys {
  /** By key id. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Files that are not used, a sentence each. */
  readonly problems: readonly string[];
}

/** `owner`: the user number that all files must have. Never throws. */
export function readTrustedKeys(directory: string = KEYS_DIRECTORY, owner = 0): TrustedKeys {
  const keys = new Map<string, KeyObject>();
  let names: string[];
  try {
    const stats = lstatSync(directory);
    if (!stats.isDirectory()) return { keys, problems: [`${directory} is not a directory: replace it`] };
    const problem = ownershipProblem(directory, stats, owner);
    if (problem !== undefined) return { keys, problems: [problem] };
    names = readdirSync(directory)
      .filter((name) => name.endsWith('.pem'))
      .sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { keys, problems: [] };
    return { keys, problems: [`${directory} cannot be read (${errorCode(error)}): check its permissions`] };
  }
  const problems: string[] = [];
  if (names.length > KEYS_MAX)
    problems.push(`${directory} has more than ${KEYS_MAX} keys: delete those that are no longer used`);
  for (const name of names.slice(0, KEYS_MAX)) {
    const key = readKey(join(directory, name), owner);
    if (typeof key === 'string') problems.push(key);
    else keys.set(keyIdOf(key), key);
  }
  return { keys, problems };
}

/** A string: why the file is not used. */
function readKey(path: string, owner: number): KeyObject | string {
  try {
    const text = readSmallFile(path, owner);
    if (text.includes('PRIVATE KEY'))
      return `${path} contains a private key: keep it on the computer that signs, and put the public key here`;
    const key = createPublicKey(text);
    if (key.asymmetricKeyType !== 'ed25519')
      return `${path} is not an Ed25519 key: use firstlight update keygen`;
    return key;
  } catch (error) {
    if (error instanceof UnusableKeyError) return error.message;
    const code = errorCode(error);
    if (code === 'ELOOP') return `${path} is a link: copy the key itself`;
    if (code === 'EACCES' || code === 'EIO') return `${path} cannot be read (${code}): check its permissions`;
    return `${path} is not a public key in PEM format: use firstlight update keygen`;
  }
}

class UnusableKeyError extends Error {
  override readonly name = 'UnusableKeyError';
}

function readSmallFile(path: string, owner: number): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new UnusableKeyError(`${path} is not a regular file: replace it`);
    const problem = ownershipProblem(path, stats, owner);
    if (problem !== undefined) throw new UnusableKeyError(problem);
    if (stats.size > KEY_BYTES_MAX)
      throw new UnusableKeyError(`${path} has more than ${KEY_BYTES_MAX} bytes: it is not a public key`);
    const bytes = Buffer.alloc(KEY_BYTES_MAX);
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, KEY_BYTES_MAX, 0));
  } finally {
    closeSync(file);
  }
}

function ownershipProblem(
  path: string,
  { uid, mode }: { readonly uid: number; readonly mode: number },
  owner: number,
): string | undefined {
  if (uid !== owner) return `${path} belongs to user ${uid}: run chown root ${path}`;
  if ((mode & WRITABLE_BY_OTHERS) !== 0) return `${path} can be written by others: run chmod go-w ${path}`;
  return undefined;
}
