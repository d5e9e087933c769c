/**
 * Records that are not to be used now and must not be lost: kept beside the store, dated, 0600.
 *
 * `credentials.aside-<when>-<why>.json`: `bad` could not be understood, `elsewhere` belongs to another board
 * or server; `forgotten` an operator wanted to be rid of. Those of elsewhere are found again when the card or the server comes back.
 */

import { link, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from './durable.ts';
import { wasIssued } from './record.ts';
import { type RecordFile, readRecordFile } from './record-file.ts';

/** Files looked through for a record that fits, newest first; an operator who has more has other troubles. */
const FILES_MAX = 100;
const ARCHIVE_NAME = /^credentials\.aside-[0-9TZ.-]+-elsewhere\.json$/;

/** Moves `file` of `directory` aside, durably; returns its new name. `whenMs` is Unix ms. Linked, it stays where it is, too. */
export async function archiveFile(
  directory: string,
  file: string,
  why: 'bad' | 'elsewhere' | 'forgotten',
  whenMs: number,
  how: 'move' | 'link' = 'move',
): Promise<string> {
  const when = new Date(whenMs).toISOString().replaceAll(':', '-');
  let name = `credentials.aside-${when}-${why}.json`;
  // A board without a clock may set two files aside in the same millisecond of 1970: never over one another.
  const existing = new Set(await readdir(directory));
  for (let attempt = 1; existing.has(name); attempt += 1)
    name = `credentials.aside-${when}-${attempt}-${why}.json`;
  await (how === 'move' ? rename : link)(join(directory, file), join(directory, name));
  await syncDirectory(directory);
  return name;
}

/** How many of elsewhere there are; 0 where nobody may look. */
export async function countArchived(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => ARCHIVE_NAME.test(name)).length;
}

/** Of the records set aside that `fit`, the newest with issued credentials, or else the newest attempt, and the file it is in. */
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

/** Forgets those of elsewhere that `fit`, as `setAside` does; returns their new names. */
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
