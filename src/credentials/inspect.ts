/**
 * Inspects the credential files without repairing them, and archives them: for commands beside the agent.
 *
 * `archiveRecord` moves the backup first; a power cut in between leaves the main file, which is sufficient.
 */

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../core/model/error-code.ts';
import { archiveFile, forgetArchived } from './archive.ts';
import { type RecordFile, readRecordFile } from './read-record-file.ts';
import { bindingMismatch } from './record.ts';
import { StoreError, toStoreError } from './store-error.ts';

const MAIN_FIRST = ['credentials.json', 'credentials.backup.json'] as const;
const BACKUP_FIRST = [...MAIN_FIRST].reverse();

export type RecordInspection =
  | { readonly is: 'absent' }
  /** One damaged file and no other: the first write was interrupted before any request, so nothing is lost. */
  | { readonly is: 'partial'; readonly problem: string }
  /** Both files are damaged. */
  | { readonly is: 'damaged'; readonly problem: string }
  /** Written by a newer agent. */
  | { readonly is: 'newer'; readonly problem: string }
  | ({ readonly is: 'good'; readonly file: string } & Pick<
      RecordFile & { is: 'good' },
      'record' | 'fingerprint' | 'servers'
    >);

/** The effective record, as the agent would read it. Rejects with a StoreError if a file is not readable or not regular. */
export async function inspectRecord(directory: string): Promise<RecordInspection> {
  const files: { readonly name: string; readonly file: RecordFile }[] = [];
  for (const name of MAIN_FIRST) files.push({ name, file: await readRecordFile(join(directory, name)) });
  const describe = (name: string, { problem }: { readonly problem: string }) =>
    `the file ${join(directory, name)} ${problem}`;
  for (const { name, file } of files)
    if (file.is === 'newer') return { is: 'newer', problem: describe(name, file) };
  for (const { name, file } of files) {
    // Reported even if the other file is good.
    if (file.is === 'unreadable') throw toReadError(directory, file.error);
    if (file.is !== 'good') continue;
    const { record, fingerprint, servers } = file;
    return { is: 'good', file: name, record, fingerprint, ...(servers && { servers }) };
  }
  const bad = files.flatMap(({ name, file }) => (file.is === 'bad' ? [describe(name, file)] : []));
  if (bad.length === 0) return { is: 'absent' };
  return { is: bad.length === files.length ? 'damaged' : 'partial', problem: bad.join(', and ') };
}

function toReadError(directory: string, error: unknown): StoreError {
  const isForbidden = errorCode(error) === 'EACCES';
  return isForbidden
    ? new StoreError(`the credentials in ${directory} are not readable by this user: run with sudo`, {
        cause: error,
      })
    : toStoreError(`the credentials in ${directory} cannot be read`, error);
}

/**
 * Archives both files durably and returns their new names. With 'link' they stay in place until they are replaced, so that there
 * are credentials at any moment. The caller holds the lock.
 */
export async function archiveRecord(
  directory: string,
  whenMs: number,
  method: 'move' | 'link' = 'move',
): Promise<readonly string[]> {
  const archived: string[] = [];
  for (const name of BACKUP_FIRST) {
    try {
      await access(join(directory, name));
    } catch {
      continue;
    }
    try {
      archived.push(await archiveFile(directory, name, 'forgotten', whenMs, method));
    } catch (error) {
      throw error instanceof StoreError
        ? error
        : toStoreError(`${name} in ${directory} cannot be archived`, error);
    }
  }
  return archived;
}

/**
 * Archives the earlier records of the same server and board as `forgotten`, because the next start would restore them. Returns
 * the new names. Must be called first: a power cut then leaves the record in place. The caller holds the lock.
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
    throw toStoreError(`the archived credentials in ${directory} cannot be renamed`, error);
  }
}
