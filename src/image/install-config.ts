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

export interface InstallRequest {
  readonly config: NewFile;
  readonly secrets: readonly NewFile[];
  /** Secrets of an earlier configuration, which would win over those of the new one. */
  readonly stale: readonly string[];
  /** Whether a configuration that is about to be replaced is worth keeping. */
  readonly shouldBackUp: (path: string) => boolean;
}

export interface InstallResult {
  /** The name of the copy of the configuration before. */
  readonly backup?: string;
  readonly removed: readonly string[];
}

const CONFIG_DIRECTORY_MODE = 0o755;
const SECRET_DIRECTORY_MODE = 0o700;

export function installFiles(
  disk: Disk,
  { config, secrets, stale, shouldBackUp }: InstallRequest,
): InstallResult {
  const directory = dirname(config.path);
  const secretPaths = [...secrets.map(({ path }) => path), ...stale];
  disk.makeDirectory(directory, CONFIG_DIRECTORY_MODE);
  if (secrets.length > 0) disk.makeDirectory(dirname(secrets[0]?.path ?? directory), SECRET_DIRECTORY_MODE);
  // What an attempt that was cut short has left, with secrets in it.
  for (const path of [config.path, ...secretPaths]) disk.remove(stagingPath(path));
  const newSecrets = secrets.filter((file) => !isInstalled(disk, file));
  const isNewConfig = !isInstalled(disk, config);
  for (const { path, bytes, mode } of isNewConfig ? [...newSecrets, config] : newSecrets) {
    disk.create(stagingPath(path), bytes, mode);
  }
  const old = disk.stat(config.path);
  const backup =
    isNewConfig && old?.is === 'file' && shouldBackUp(config.path) ? backUp(disk, config.path) : undefined;
  renameAll(disk, newSecrets);
  if (isNewConfig) renameAll(disk, [config]);
  const removed = stale.filter((path) => disk.stat(path) !== undefined);
  for (const path of removed) disk.remove(path);
  for (const directory of new Set(removed.map(dirname))) disk.sync(directory);
  return { removed, ...(backup !== undefined && { backup }) };
}

function stagingPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.new`);
}

function isInstalled(disk: Disk, { path, bytes, mode }: NewFile): boolean {
  const info = disk.stat(path);
  if (info?.is !== 'file' || info.mode !== mode || info.bytes !== bytes.length) return false;
  return disk.read(path, bytes.length).equals(bytes);
}

function renameAll(disk: Disk, files: readonly NewFile[]): void {
  for (const { path } of files) disk.rename(stagingPath(path), path);
  for (const directory of new Set(files.map(({ path }) => dirname(path)))) disk.sync(directory);
}

/** A second name for the file, so that at no instant it has none. */
function backUp(disk: Disk, path: string): string {
  const old = disk.stat(path);
  const when = new Date(old?.changedMs ?? 0)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
  for (let attempt = 0; ; attempt++) {
    const name = `${path}.${when}${attempt === 0 ? '' : `-${attempt}`}.bak`;
    const other = disk.stat(name);
    if (other !== undefined && !isCopy(disk, path, name)) continue;
    if (other === undefined) linkOrCopy(disk, path, name);
    disk.sync(dirname(path));
    return name;
  }
}

function isCopy(disk: Disk, one: string, other: string): boolean {
  const [a, b] = [disk.stat(one), disk.stat(other)];
  if (a === undefined || b?.is !== 'file' || a.bytes !== b.bytes) return false;
  return disk.read(one, a.bytes).equals(disk.read(other, a.bytes));
}

function linkOrCopy(disk: Disk, path: string, name: string): void {
  try {
    disk.link(path, name);
  } catch (error) {
    // A file system without hard links.
    if (!['EPERM', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errorCode(error) ?? '')) throw error;
    const { bytes = 0, mode = 0o600 } = disk.stat(path) ?? {};
    disk.create(name, disk.read(path, bytes), mode);
  }
}
