/**
 * Looking at the credential files without mending anything, and moving them out of the way: for commands beside the agent.
 *
 * `putAside` moves the backup first. A power cut between the two leaves the main file, which is as good as both; the other
 * order would leave a backup that the agent takes for the record of a lost main file, which is true as well.
 */

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type RecordFile, readRecordFile } from './record-file.ts';
import { setAside } from './set-aside.ts';
import { StoreError, storeError } from './store-error.ts';

const FILES = ['credentials.backup.json', 'credentials.json'] as const;

export type Looked =
  | { readonly is: 'absent' }
  | { readonly is: 'damaged'; readonly problem: string }
  | ({ readonly is: 'good'; readonly file: string } & Pick<
      RecordFile & { is: 'good' },
      'record' | 'fingerprint' | 'servers'
    >);

/** The record that counts. Rejects with a StoreError where this user may not look, or what is there is no file. */
export async function lookAtRecord(directory: string): Promise<Looked> {
  let problem: string | undefined;
  for (const name of [...FILES].reverse()) {
    const file = await readRecordFile(join(directory, name));
    if (file.is === 'good') {
      const { record, fingerprint, servers } = file;
      return { is: 'good', file: name, record, fingerprint, ...(servers && { servers }) };
    }
    if (file.is === 'unreadable') throw unreadable(directory, file.error);
    if (file.is !== 'absent') problem ??= `the file ${join(directory, name)} ${file.problem}`;
  }
  return problem === undefined ? { is: 'absent' } : { is: 'damaged', problem };
}

function unreadable(directory: string, error: unknown): StoreError {
  const mayNot = error instanceof Error && 'code' in error && error.code === 'EACCES';
  return mayNot
    ? new StoreError(`the credentials in ${directory} may not be read by this user: run it with sudo`, {
        cause: error,
      })
    : storeError(`the credentials in ${directory} cannot be read`, error);
}

/**
 * Moves both files aside, durably; returns their new names. Linked, they stay in place until others are written there, so that
 * there is never a moment without credentials. The caller holds the lock.
 */
export async function putAside(
  directory: string,
  whenMs: number,
  how: 'move' | 'link' = 'move',
): Promise<readonly string[]> {
  const kept: string[] = [];
  for (const name of FILES) {
    try {
      await access(join(directory, name));
    } catch {
      continue;
    }
    try {
      kept.push(await setAside(directory, name, 'forgotten', whenMs, how));
    } catch (error) {
      throw error instanceof StoreError
        ? error
        : storeError(`${name} in ${directory} cannot be moved aside`, error);
    }
  }
  return kept;
}
