/**
 * Puts an imported configuration and its secrets where the service finds them, so that a power cut leaves each file whole,
 * old or new, and doing it again ends the same.
 *
 *   all written and synced beside their places ─▶ the old configuration gets a second name ─▶ secrets renamed ─▶
 *   configuration renamed ─▶ secrets of before, that the new one does not have, removed
 *
 * A disk that is full is met in the first step, where nothing has changed yet. A configuration that somebody has edited is
 * kept beside the new one, named by the date of its last change, which is the same at a second attempt.
 */

import { basename, dirname, join } from 'node:path';
import { errorCode } from '../core/model/error-code.ts';
import type { Disk } from './disk.ts';

export interface NewFile {
  readonly path: string;
  readonly bytes: Buffer;
  readonly mode: number;
}

export interface Placing {
  readonly config: NewFile;
  readonly secrets: readonly NewFile[];
  /** Secrets of an earlier configuration, which would win over those of the new one. */
  readonly stale: readonly string[];
  /** Whether a configuration that is about to be replaced is worth keeping. */
  readonly worthKeeping: (path: string) => boolean;
}

export interface Placed {
  /** The name of the copy of the configuration before. */
  readonly kept?: string;
  readonly removed: readonly string[];
}

const CONFIG_DIRECTORY_MODE = 0o755;
const SECRET_DIRECTORY_MODE = 0o700;

export function putInPlace(disk: Disk, { config, secrets, stale, worthKeeping }: Placing): Placed {
  const here = dirname(config.path);
  const secretPaths = [...secrets.map(({ path }) => path), ...stale];
  disk.makeDirectory(here, CONFIG_DIRECTORY_MODE);
  if (secrets.length > 0) disk.makeDirectory(dirname(secrets[0]?.path ?? here), SECRET_DIRECTORY_MODE);
  // What an attempt that was cut short has left, with secrets in it.
  for (const path of [config.path, ...secretPaths]) disk.remove(stagedAs(path));
  const newSecrets = secrets.filter((file) => !isThere(disk, file));
  const isNewConfig = !isThere(disk, config);
  for (const { path, bytes, mode } of isNewConfig ? [...newSecrets, config] : newSecrets) {
    disk.create(stagedAs(path), bytes, mode);
  }
  const old = disk.look(config.path);
  const kept =
    isNewConfig && old?.is === 'file' && worthKeeping(config.path) ? keep(disk, config.path) : undefined;
  renamed(disk, newSecrets);
  if (isNewConfig) renamed(disk, [config]);
  const removed = stale.filter((path) => disk.look(path) !== undefined);
  for (const path of removed) disk.remove(path);
  for (const directory of new Set(removed.map(dirname))) disk.sync(directory);
  return { removed, ...(kept !== undefined && { kept }) };
}

function stagedAs(path: string): string {
  return join(dirname(path), `.${basename(path)}.new`);
}

function isThere(disk: Disk, { path, bytes, mode }: NewFile): boolean {
  const look = disk.look(path);
  if (look?.is !== 'file' || look.mode !== mode || look.bytes !== bytes.length) return false;
  return disk.read(path, bytes.length).equals(bytes);
}

function renamed(disk: Disk, files: readonly NewFile[]): void {
  for (const { path } of files) disk.rename(stagedAs(path), path);
  for (const directory of new Set(files.map(({ path }) => dirname(path)))) disk.sync(directory);
}

/** A second name for the file, so that at no instant it has none. */
function keep(disk: Disk, path: string): string {
  const old = disk.look(path);
  const when = new Date(old?.changedMs ?? 0)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
  for (let again = 0; ; again++) {
    const name = `${path}.${when}${again === 0 ? '' : `-${again}`}.bak`;
    const other = disk.look(name);
    if (other !== undefined && !isCopy(disk, path, name)) continue;
    if (other === undefined) secondName(disk, path, name);
    disk.sync(dirname(path));
    return name;
  }
}

function isCopy(disk: Disk, one: string, other: string): boolean {
  const [a, b] = [disk.look(one), disk.look(other)];
  if (a === undefined || b?.is !== 'file' || a.bytes !== b.bytes) return false;
  return disk.read(one, a.bytes).equals(disk.read(other, a.bytes));
}

function secondName(disk: Disk, path: string, name: string): void {
  try {
    disk.link(path, name);
  } catch (error) {
    // A file system without hard links.
    if (!['EPERM', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errorCode(error) ?? '')) throw error;
    const { bytes = 0, mode = 0o600 } = disk.look(path) ?? {};
    disk.create(name, disk.read(path, bytes), mode);
  }
}
