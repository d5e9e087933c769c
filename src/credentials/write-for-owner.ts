/**
 * Root writing a file in a directory of the service's user, as `sudo firstlight credentials set` does: the file is the
 * user's before it has its name, so that no power cut leaves one that the service cannot read, and no link that a program
 * of that user has planted is followed on the way. conf can do neither: it leaves a new file to whoever writes it, and
 * writes to where a link points.
 */

import { randomBytes, randomInt } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { errorCode } from '../core/model/error-code.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The owner of `directory`, if we are root and it is not ours. */
export async function otherOwner(directory: string): Promise<Owner | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const { uid, gid } = await stat(directory);
  return uid === 0 ? undefined : { uid, gid };
}

/** Replaces `path`, 0600, as a whole or not at all. The name is durable once the caller has synced the directory. */
export async function writeForOwner(path: string, text: string, owner: Owner): Promise<void> {
  // Named as conf names its own: what a power cut leaves is swept at the next start.
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

/** The root of a container may lack the right, or the user's number; whoever runs the agent there is root as well and reads the file. */
async function changeOwner(handle: FileHandle, { uid, gid }: Owner): Promise<void> {
  try {
    await handle.chown(uid, gid);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'EPERM' && code !== 'EINVAL') throw error;
  }
}
