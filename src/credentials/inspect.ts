/**
 * Looking at the credential files without mending anything, and moving them out of the way: for commands beside the agent.
 *
 * `putAside` moves the backup first. A power cut between the two leaves the main file, which is as good as both; the other
 * order would leave a backup that the agent takes for the record of a lost main file, which is true as well.
 */

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../core/model/error-code.ts';
import { archiveFile, forgetArchived } from './archive.ts';
import { bindingMismatch } from './binding.ts';
import { type RecordFile, readRecordFile } from './record-file.ts';
import { StoreError, toStoreError } from './store-error.ts';

const MAIN_FIRST = ['credentials.json', 'credentials.backup.json'] as const;
const BACKUP_FIRST = [...MAIN_FIRST].reverse();

export type RecordInspection =
  | { readonly is: 'absent' }
  /** One file, damaged, and no other: it was being written before anything was asked, and the agent starts anew. */
  | { readonly is: 'partial'; readonly problem: string }
  /** Both are: nobody knows what was asked. */
  | { readonly is: 'damaged'; readonly problem: string }
  /** Of a later version. */
  | { readonly is: 'newer'; readonly problem: string }
  | ({ readonly is: 'good'; readonly file: string } & Pick<
      RecordFile & { is: 'good' },
      'record' | 'fingerprint' | 'servers'
    >);

/** The record that counts, as the agent would judge it. Rejects with a StoreError where this user may not look, or what is there is no file. */
export async function inspectRecord(directory: string): Promise<RecordInspection> {
  const files: { readonly name: string; readonly file: RecordFile }[] = [];
  for (const name of MAIN_FIRST) files.push({ name, file: await readRecordFile(join(directory, name)) });
  const describe = (name: string, { problem }: { readonly problem: string }) =>
    `the file ${join(directory, name)} ${problem}`;
  for (const { name, file } of files)
    if (file.is === 'newer') return { is: 'newer', problem: describe(name, file) };
  for (const { name, file } of files) {
    // Also where the other is good: that one of two cannot be read is worth a word.
    if (file.is === 'unreadable') throw unreadableError(directory, file.error);
    if (file.is !== 'good') continue;
    const { record, fingerprint, servers } = file;
    return { is: 'good', file: name, record, fingerprint, ...(servers && { servers }) };
  }
  const bad = files.flatMap(({ name, file }) => (file.is === 'bad' ? [describe(name, file)] : []));
  if (bad.length === 0) return { is: 'absent' };
  return { is: bad.length === files.length ? 'damaged' : 'partial', problem: bad.join(', and ') };
}

function unreadableError(directory: string, error: unknown): StoreError {
  const isForbidden = errorCode(error) === 'EACCES';
  return isForbidden
    ? new StoreError(`the credentials in ${directory} may not be read by this user: run it with sudo`, {
        cause: error,
      })
    : toStoreError(`the credentials in ${directory} cannot be read`, error);
}

/**
 * Moves both files aside, durably; returns their new names. Linked, they stay in place until others are written there, so that
 * there is never a moment without credentials. The caller holds the lock.
 */
export async function archiveRecord(
  directory: string,
  whenMs: number,
  how: 'move' | 'link' = 'move',
): Promise<readonly string[]> {
  const archived: string[] = [];
  for (const name of BACKUP_FIRST) {
    try {
      await access(join(directory, name));
    } catch {
      continue;
    }
    try {
      archived.push(await archiveFile(directory, name, 'forgotten', whenMs, how));
    } catch (error) {
      throw error instanceof StoreError
        ? error
        : toStoreError(`${name} in ${directory} cannot be moved aside`, error);
    }
  }
  return archived;
}

/**
 * Forgets what was set aside earlier of the server and board that `looked` is of: else the next start would take that up in its place. Returns
 * the new names. To be done first: a power cut then leaves the record where it is. The caller holds the lock.
 */
export async function forgetEarlierRecords(
  directory: string,
  inspection: RecordInspection & { is: 'good' },
  whenMs: number,
): Promise<readonly string[]> {
  const { record, servers = [], fingerprint } = inspection;
  const binding = { servers: [record.server, ...servers], fingerprint };
  try {
    return await forgetArchived(directory, (file) => bindingMismatch(file, binding) === undefined, whenMs);
  } catch (error) {
    throw toStoreError(`what was set aside in ${directory} cannot be moved`, error);
  }
}
