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
const LOOKED_AT_MAX = 100;
const NAME = /^credentials\.aside-[0-9TZ.-]+-elsewhere\.json$/;

/** Moves `file` of `directory` aside, durably; returns its new name. `whenMs` is Unix ms. Linked, it stays where it is, too. */
export async function setAside(
  directory: string,
  file: string,
  why: 'bad' | 'elsewhere' | 'forgotten',
  whenMs: number,
  how: 'move' | 'link' = 'move',
): Promise<string> {
  const when = new Date(whenMs).toISOString().replaceAll(':', '-');
  let name = `credentials.aside-${when}-${why}.json`;
  // A board without a clock may set two files aside in the same millisecond of 1970: never over one another.
  const taken = new Set(await readdir(directory));
  for (let again = 1; taken.has(name); again += 1) name = `credentials.aside-${when}-${again}-${why}.json`;
  await (how === 'move' ? rename : link)(join(directory, file), join(directory, name));
  await syncDirectory(directory);
  return name;
}

/** How many of elsewhere there are; 0 where nobody may look. */
export async function countAside(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => NAME.test(name)).length;
}

/** Of the records set aside that `fit`, the newest with issued credentials, or else the newest attempt, and the file it is in. */
export async function findAside(
  directory: string,
  fits: (file: Aside['file']) => boolean,
): Promise<Aside | undefined> {
  const found = await allAside(directory, fits);
  const issued = found.filter(({ file }) => wasIssued(file.record));
  return (issued.length > 0 ? issued : found).sort(
    (a, b) => b.file.record.sinceMs - a.file.record.sinceMs,
  )[0];
}

/** Forgets those of elsewhere that `fit`, as `setAside` does; returns their new names. */
export async function forgetAside(
  directory: string,
  fits: (file: Aside['file']) => boolean,
  whenMs: number,
): Promise<readonly string[]> {
  const kept: string[] = [];
  for (const { name } of await allAside(directory, fits))
    kept.push(await setAside(directory, name, 'forgotten', whenMs));
  return kept;
}

export interface Aside {
  readonly name: string;
  readonly file: RecordFile & { is: 'good' };
}

async function allAside(directory: string, fits: (file: Aside['file']) => boolean): Promise<Aside[]> {
  const names = (await readdir(directory)).filter((name) => NAME.test(name));
  const found: Aside[] = [];
  for (const name of names.sort().reverse().slice(0, LOOKED_AT_MAX)) {
    const file = await readRecordFile(join(directory, name), 'close');
    if (file.is === 'good' && fits(file)) found.push({ name, file });
  }
  return found;
}
