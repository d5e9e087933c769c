/**
 * Writes a file so that a power cut leaves the old or the new one, whole: into a temporary file (0600), which is synced, renamed,
 * and made durable by a sync of the directory. conf writes credentials, except for root in a directory of another user.
 */

import { randomBytes, randomInt } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { constants as systemConstants } from 'node:os';
import { join } from 'node:path';
import type Conf from 'conf';
import { errorCode } from '../core/model/error-code.ts';
import { assertRegularFile, syncDirectory } from './private-files.ts';

/** Resolves when `NAME.json` in `directory` contains `content` and survives a power cut. */
export async function writeDurably(
  directory: string,
  name: string,
  content: Record<string, unknown>,
): Promise<void> {
  const path = join(directory, `${name}.json`);
  await assertRegularFile(path);
  const owner = await otherOwner(directory);
  if (owner) await replaceFile(path, JSON.stringify(content, undefined, '\t'), owner);
  else await writeWithConf(directory, name, content);
  await syncDirectory(directory);
}

/** Resolves when the file NAME in `directory` contains `text` and survives a power cut. */
export async function writeTextDurably(directory: string, name: string, text: string): Promise<void> {
  const path = join(directory, name);
  await assertRegularFile(path);
  await replaceFile(path, text, await otherOwner(directory));
  await syncDirectory(directory);
}

async function writeWithConf(
  directory: string,
  name: string,
  content: Record<string, unknown>,
): Promise<void> {
  const ConfClass = await loadConf();
  const conf: Conf<Record<string, unknown>> = new ConfClass({
    cwd: directory,
    configName: name,
    configFileMode: 0o600,
    clearInvalidConfig: false, // true would discard a token silently
    deserialize: () => ({}), // conf only writes
    accessPropertiesByDotNotation: false,
  });
  conf.store = content;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The owner of `directory`, if this process is root and the owner is another user. */
async function otherOwner(directory: string): Promise<Owner | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const { uid, gid } = await stat(directory);
  return uid === 0 ? undefined : { uid, gid };
}

/**
 * Replaces `path`, as root also in a directory of the service's user, for `sudo firstlight credentials set`. The file gets its owner
 * before its name, and no link is followed. conf can do neither: its new file belongs to root, and it writes through links.
 */
async function replaceFile(path: string, text: string, owner: Owner | undefined): Promise<void> {
  // A name like conf's, so that the next start removes what a power cut leaves.
  const digits = String(randomInt(10 ** 10)).padStart(10, '0');
  const temporary = `${path}.tmp-${digits}${randomBytes(3).toString('hex')}`;
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      await handle.writeFile(text);
      if (owner) await changeOwner(handle, owner);
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

/**
 * Loads conf and removes its signal listeners. Measured, conf 15.1: its library when-exit kills the process with the signal that
 * it receives, so a SIGTERM would not let the agent finish. Its `exit` listener, which removes temporary files, stays.
 */
export async function loadConf(): Promise<typeof Conf> {
  // In a snap conf would write in place and unsynced (its index.js, _write).
  delete process.env['SNAP'];
  const before = new Map(signals().map((name) => [name, new Set(process.rawListeners(name))]));
  const { default: Conf } = await import('conf');
  for (const [name, existing] of before) {
    for (const listener of process.rawListeners(name)) {
      if (!existing.has(listener)) process.removeListener(name, listener as () => void);
    }
  }
  return Conf;
}

function signals(): NodeJS.Signals[] {
  return Object.keys(systemConstants.signals) as NodeJS.Signals[];
}
