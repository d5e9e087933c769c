/**
 * Writes a file as root in a directory of the service's user, for `sudo firstlight credentials set`. The file gets its owner
 * before its name, and no link is followed. conf can do neither: its new file belongs to root, and it writes through links.
 */

import { randomBytes, randomInt } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { errorCode } from '../core/model/error-code.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The owner of `directory`, if this process is root and the owner is another user. */
export async function otherOwner(directory: string): Promise<Owner | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const { uid, gid } = await stat(directory);
  return uid === 0 ? undefined : { uid, gid };
}

/** Replaces `path` (0600) atomically. The name is durable after the caller has synced the directory. */
export async function writeForOwner(path: string, text: string, owner: Owner): Promise<void> {
  // A name like conf's, so that the next start removes what a power cut leaves.
  const digits = String(randomInt(10 ** 10)).padStart(10, '0');
  const temporary = `${path}.tmp-${digits}${randomBytes(3).toString('hex')}`;
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      await handle.writeFile(text);
      await changeOwner(handle, owner);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

/** In a container root may lack the permission or the user's number; the agent then runs as root and can read the file. */
async function changeOwner(handle: FileHandle, { uid, gid }: Owner): Promise<void> {
  try {
    await handle.chown(uid, gid);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'EPERM' && code !== 'EINVAL') throw error;
  }
}
