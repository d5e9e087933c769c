/**
 * The file with the server's settings in the state directory, 0600: read by the agent and by commands, written by the agent so
 * that a power cut leaves the old or the new file. It belongs to one board, as the credentials do.
 */

import { readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadedConfig } from '../../config/load.ts';
import type { RemoteSource } from '../../config/remote-values.ts';
import { remoteSettings, settings } from '../../config/schema/settings.ts';
import { endpointId } from '../../config/values/server-url.ts';
import { valuesWith } from '../../core/downlink/settings-trial.ts';
import {
  type SettingsRecord,
  settingsFromDisk,
  settingsToDisk,
} from '../../core/downlink/stored-settings.ts';
import { type Fingerprint, isSameBoard } from '../../core/model/board-fingerprint.ts';
import { errorCode } from '../../core/model/error-code.ts';
import { parseJsonObject } from '../../core/model/json-object.ts';
import { openRegularFile, syncDirectory } from '../../credentials/private-files.ts';
import { StoreError, toStoreError } from '../../credentials/store-error.ts';
import { writeTextDurably } from '../../credentials/write-durably.ts';

export const REMOTE_SETTINGS_FILE = 'remote-settings.json';
const DAMAGED_FILE = `${REMOTE_SETTINGS_FILE}.damaged`;
const ORPHAN = /^remote-settings\.json\.tmp-/;
/** Twice the largest file: every setting with a value of 4 KiB, and another one that was taken back. */
const FILE_BYTES_MAX = 512 * 1024;

export interface StoredRemoteSettings {
  readonly record: SettingsRecord;
  /** Why the file is not used; continues a sentence that begins with its path. Absent if it is used or does not exist. */
  readonly problem?: string;
  readonly isDamaged?: true;
  /** This user cannot read the file. */
  readonly isForbidden?: true;
}

/** Never rejects: without a usable file there are no settings of the server. */
export async function readRemoteSettings(state: string, board: Fingerprint): Promise<StoredRemoteSettings> {
  const none: SettingsRecord = { confirmed: new Map(), rejected: new Map(), board };
  let text: string;
  try {
    await using handle = await openRegularFile(join(state, REMOTE_SETTINGS_FILE));
    const { size } = await handle.stat();
    if (size > FILE_BYTES_MAX)
      return { record: none, problem: `is too large (${size} bytes)`, isDamaged: true };
    text = await handle.readFile('utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { record: none };
    if (code === 'EACCES')
      return { record: none, problem: 'is not readable by this user: run with sudo', isForbidden: true };
    const problem = error instanceof StoreError ? 'is not a regular file' : `cannot be read (${code})`;
    return { record: none, problem };
  }
  return parseRemoteSettings(text, board);
}

/** The settings in the text of a file, for this board. */
export function parseRemoteSettings(text: string, board: Fingerprint): StoredRemoteSettings {
  const none: SettingsRecord = { confirmed: new Map(), rejected: new Map(), board };
  const stored = parseJsonObject(text);
  if (!stored) return { record: none, problem: 'is truncated or not JSON', isDamaged: true };
  const parsed = settingsFromDisk(stored);
  if (parsed.is !== 'good')
    return { record: none, problem: parsed.problem, ...(parsed.is === 'bad' && { isDamaged: true }) };
  if (!isSameBoard(parsed.record.board, board)) return { record: none, problem: 'belongs to another board' };
  return { record: ofThisVersion({ ...parsed.record, board }) };
}

/** Without settings that this version does not have or that may no longer be remote. */
function ofThisVersion({ confirmed, rejected, ...rest }: SettingsRecord): SettingsRecord {
  const keys = new Set(remoteSettings.map(({ key }) => key));
  const known = <T>(map: ReadonlyMap<string, T>) => new Map([...map].filter(([key]) => keys.has(key)));
  return { ...rest, confirmed: known(confirmed), rejected: known(rejected) };
}

export function encodeRecord(record: SettingsRecord): string {
  return `${JSON.stringify(settingsToDisk(record), undefined, '\t')}\n`;
}

/** What the agent does with its file. */
export interface RemoteSettingsFile {
  /** Resolves when the text is durable; rejects with a StoreError. */
  write(text: string): Promise<void>;
  /** Removes what a killed agent has left; sets aside a damaged file and returns its name if that was possible. */
  tidy(isDamaged: boolean): Promise<string | undefined>;
}

/** The file in a state directory. */
export function remoteSettingsFile(state: string): RemoteSettingsFile {
  return {
    write: (text) => writeRemoteSettings(state, text),
    tidy: (isDamaged) => tidyRemoteSettings(state, isDamaged),
  };
}

/** Resolves when the file is durable; rejects with a StoreError. */
async function writeRemoteSettings(state: string, text: string): Promise<void> {
  try {
    await writeTextDurably(state, REMOTE_SETTINGS_FILE, text);
  } catch (error) {
    throw toStoreError(`${REMOTE_SETTINGS_FILE} in ${state} cannot be written`, error);
  }
}

/** Removes what a killed agent has left; renames a damaged file, over an earlier one. Returns its name if that was possible. */
async function tidyRemoteSettings(state: string, isDamaged: boolean): Promise<string | undefined> {
  try {
    for (const name of await readdir(state)) if (ORPHAN.test(name)) await unlink(join(state, name));
    if (!isDamaged) return undefined;
    await rename(join(state, REMOTE_SETTINGS_FILE), join(state, DAMAGED_FILE));
    await syncDirectory(state);
    return DAMAGED_FILE;
  } catch {
    return undefined; // on a read-only disk, the file is ignored at every start
  }
}

/** The ids of server.url without the value of the server. */
export function localUrls({ localEndpoints }: Pick<LoadedConfig, 'localEndpoints'>): readonly string[] {
  return localEndpoints.map(endpointId);
}

export interface LoadedWithStored {
  readonly loaded: LoadedConfig;
  /** Without a server.url that the gateway's own one has replaced since. */
  readonly record: SettingsRecord;
}

/**
 * Reads the configuration with the stored settings. Whoever changes server.url on the gateway means it: a stored server.url of the
 * server counts only as long as the local one is that which it replaced.
 */
export function loadWithStored(
  read: (remote: RemoteSource) => LoadedConfig,
  record: SettingsRecord,
): LoadedWithStored {
  const loaded = read({ values: valuesWith(record) });
  const { key } = settings.serverUrl;
  const isReplaced = record.localUrls?.join() !== localUrls(loaded).join();
  if (!record.confirmed.has(key) || !isReplaced) return { loaded, record };
  const [confirmed, rejected] = [new Map(record.confirmed), new Map(record.rejected)];
  confirmed.delete(key);
  rejected.delete(key);
  const { localUrls: _replaced, ...rest } = record;
  const current = { ...rest, confirmed, rejected };
  return { loaded: read({ values: valuesWith(current) }), record: current };
}
