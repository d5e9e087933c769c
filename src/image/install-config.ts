/**
 * Installs an imported configuration and its secrets. A power cut leaves each file complete, old or new, and a repetition has the
 * same result. A full disk fails the first step, before any change.
 *
 *   all staged and synced ─▶ old configuration linked to its backup name ─▶ secrets and certificates renamed ─▶
 *   configuration renamed ─▶ secrets that the new configuration does not have removed
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
  /** In the directory above that of the configuration. */
  readonly certificates: readonly NewFile[];
  /** Secrets of the previous configuration, which would take precedence over those of the new one. */
  readonly stale: readonly string[];
  /** Whether the configuration that is replaced contains any setting. */
  readonly shouldBackUp: (path: string) => boolean;
}

export interface InstallResult {
  /** The backup of the previous configuration, named by the date of its last change. */
  readonly backup?: string;
  readonly removed: readonly string[];
}

const CONFIG_DIRECTORY_MODE = 0o755;
const SECRET_DIRECTORY_MODE = 0o700;

export function installFiles(
  disk: Disk,
  { config, secrets, certificates, stale, shouldBackUp }: InstallRequest,
): InstallResult {
  const directory = dirname(config.path);
  const others = [...secrets, ...certificates];
  const otherPaths = [...others.map(({ path }) => path), ...stale];
  disk.makeDirectory(directory, CONFIG_DIRECTORY_MODE);
  if (secrets.length > 0) disk.makeDirectory(dirname(secrets[0]?.path ?? directory), SECRET_DIRECTORY_MODE);
  // An interrupted attempt may have left these, with secrets in them.
  for (const path of [config.path, ...otherPaths]) disk.remove(stagingPath(path));
  const newFiles = others.filter((file) => !isInstalled(disk, file));
  const isNewConfig = !isInstalled(disk, config);
  for (const { path, bytes, mode } of isNewConfig ? [...newFiles, config] : newFiles) {
    disk.create(stagingPath(path), bytes, mode);
  }
  const old = disk.stat(config.path);
  const backup =
    isNewConfig && old?.is === 'file' && shouldBackUp(config.path) ? backUp(disk, config.path) : undefined;
  renameAll(disk, newFiles);
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

/** Links the file to its backup name, so that it has a name at any moment. */
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
