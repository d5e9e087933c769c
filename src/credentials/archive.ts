/**
 * Archived records, which are not in use and must not be lost: `credentials.aside-<when>-<why>.json`, 0600, beside the store.
 *
 * `bad`: invalid. `elsewhere`: bound to another board or server; restored if it fits again. `forgotten`: removed by an operator.
 */

import { link, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from './private-files.ts';
import { type RecordFile, readRecordFile } from './read-record-file.ts';
import { wasIssued } from './record.ts';

/** Files that are searched for a matching record, newest first. */
const FILES_MAX = 100;
const ARCHIVE_NAME = /^credentials\.aside-[0-9TZ.-]+-elsewhere\.json$/;

/** Renames `file` in `directory` durably and returns its new name. `whenMs` is in Unix ms. With 'link' the file also keeps its name. */
export async function archiveFile(
  directory: string,
  file: string,
  reason: 'bad' | 'elsewhere' | 'forgotten',
  whenMs: number,
  method: 'move' | 'link' = 'move',
): Promise<string> {
  const when = new Date(whenMs).toISOString().replaceAll(':', '-');
  let name = `credentials.aside-${when}-${reason}.json`;
  // A board without a clock may archive two files in the same millisecond of 1970.
  const existing = new Set(await readdir(directory));
  for (let attempt = 1; existing.has(name); attempt += 1)
    name = `credentials.aside-${when}-${attempt}-${reason}.json`;
  await (method === 'move' ? rename : link)(join(directory, file), join(directory, name));
  await syncDirectory(directory);
  return name;
}

/** The number of records `elsewhere`; 0 if the directory cannot be read. */
export async function countArchived(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => ARCHIVE_NAME.test(name)).length;
}

/** Of the matching records, the newest with an issued token, or else the newest attempt. */
export async function findArchived(
  directory: string,
  isMatch: (file: ArchivedRecord['file']) => boolean,
): Promise<ArchivedRecord | undefined> {
  const found = await listArchived(directory, isMatch);
  const issued = found.filter(({ file }) => wasIssued(file.record));
  return (issued.length > 0 ? issued : found).sort(
    (a, b) => b.file.record.sinceMs - a.file.record.sinceMs,
  )[0];
}

/** Archives the matching records `elsewhere` as `forgotten`; returns their new names. */
export async function forgetArchived(
  directory: string,
  isMatch: (file: ArchivedRecord['file']) => boolean,
  whenMs: number,
): Promise<readonly string[]> {
  const archived: string[] = [];
  for (const { name } of await listArchived(directory, isMatch))
    archived.push(await archiveFile(directory, name, 'forgotten', whenMs));
  return archived;
}

export interface ArchivedRecord {
  readonly name: string;
  readonly file: RecordFile & { is: 'good' };
}

async function listArchived(
  directory: string,
  isMatch: (file: ArchivedRecord['file']) => boolean,
): Promise<ArchivedRecord[]> {
  const names = (await readdir(directory)).filter((name) => ARCHIVE_NAME.test(name));
  const found: ArchivedRecord[] = [];
  for (const name of names.sort().reverse().slice(0, FILES_MAX)) {
    const file = await readRecordFile(join(directory, name), 'fix-mode');
    if (file.is === 'good' && isMatch(file)) found.push({ name, file });
  }
  return found;
}
