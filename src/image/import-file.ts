/**
 * The import, in order: find the file on the boot partition, check all of it, put it in place, and only then take it off the
 * boot partition.
 *
 *   found ─▶ text ─▶ checked ─▶ in place, durable ─▶ note of an earlier attempt removed ─▶ file overwritten and removed
 *              └────────┴─ wrong ─▶ note beside it; nothing else is touched
 *
 * The file goes last, so a power cut anywhere leaves it there and the next boot does it all again, with the same end. Where it
 * cannot go (a boot partition that is read-only) its digest is kept, so that the next boot does not put it over what
 * an operator has edited since.
 */

import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { CARD_FILE_BYTES_MAX, cardText, curlyQuotesLine } from './config-text.ts';
import { type Disk, whyNot } from './disk.ts';
import { isRetired, retire } from './erase-file.ts';
import { errorNote, NOTE_NAME, type NotedProblem } from './error-note.ts';
import { findSource } from './find-import-file.ts';
import { type NewFile, type Placing, putInPlace } from './install-config.ts';

/** What the loader has made of the text. */
export type Checked =
  | {
      readonly ok: true;
      readonly config: NewFile;
      readonly secrets: readonly NewFile[];
      readonly stale: readonly string[];
      /** What is unwise, though not wrong. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly NotedProblem[] };

export interface ImportPorts {
  readonly disk: Disk;
  readonly check: (text: string) => Checked;
  readonly worthKeeping: Placing['worthKeeping'];
  readonly say: (level: 'info' | 'warning' | 'error', sentence: string) => void;
  readonly version: string;
}

export interface ImportPlaces {
  /** Paths where the file may be. */
  readonly sources: readonly string[];
  /** Where the digest of a file is kept that cannot be removed. */
  readonly digest: string;
}

export type Outcome = 'nothing to do' | 'imported' | 'refused' | 'failed';

export function importFile(places: ImportPlaces, ports: ImportPorts): Outcome {
  const { disk, say } = ports;
  try {
    const found = findSource(disk, places.sources);
    switch (found.is) {
      case 'none':
        say('info', `there is nothing to import: no ${places.sources.join(' and no ')}`);
        return 'nothing to do';
      case 'one':
        return importOne(found.path, places, ports);
      case 'misnamed':
        return refuse(found.path, [{ text: misnamed(found.path, found.wanted) }], ports);
      case 'several':
        for (const path of found.paths) refuse(path, [{ text: several(found.paths) }], ports);
        return 'refused';
    }
  } catch (error) {
    say('error', `the import could not be finished, the next boot tries again: ${whyNot(error)}`);
    return 'failed';
  }
}

function importOne(path: string, places: ImportPlaces, ports: ImportPorts): Outcome {
  const { disk, say } = ports;
  if (disk.look(path)?.is !== 'file') return refuse(path, [{ text: 'it is not a regular file' }], ports);
  const bytes = disk.read(path, CARD_FILE_BYTES_MAX + 1);
  if (isRetired(bytes)) return takeOff(path, bytes, places, ports);
  if (isImportedAlready(bytes, places, disk)) {
    say('info', `${path} was imported before and is not imported again`);
    return takeOff(path, bytes, places, ports);
  }
  const text = cardText(bytes);
  if (text.is === 'unusable') return refuse(path, [{ line: text.line, text: `it ${text.what}` }], ports);
  const checked = ports.check(text.text);
  if (!checked.ok) return refuse(path, [...checked.problems, ...curly(text.text)], ports);
  const { kept, removed } = putInPlace(disk, { ...checked, worthKeeping: ports.worthKeeping });
  say('info', `${path} is imported as ${checked.config.path}`);
  for (const secret of checked.secrets) say('info', `the secret in it is in ${secret.path} now`);
  if (kept !== undefined) say('info', `the configuration before is kept as ${kept}`);
  for (const stale of removed) say('info', `${stale}, of the configuration before, is removed`);
  for (const warning of checked.warnings) say('warning', warning);
  return takeOff(path, bytes, places, ports);
}

function misnamed(path: string, wanted: string): string {
  const hidden = /\.txt$/i.test(path)
    ? '. Windows hides the end of names: in the Explorer, switch on View, Show, File name extensions'
    : '';
  return `its name must be ${wanted}, in small letters; rename it${hidden}`;
}

function several(paths: readonly string[]): string {
  return `there are several of them, and nobody can say which counts; leave only one: ${paths.join(', ')}`;
}

function curly(text: string): readonly NotedProblem[] {
  const line = curlyQuotesLine(text);
  return line === undefined
    ? []
    : [{ line, text: 'has the curly quotes of a word processor; use straight ones: "' }];
}

/** Says what is wrong, also beside the file, and leaves everything as it is. */
function refuse(
  path: string,
  problems: readonly NotedProblem[],
  { disk, say, version }: ImportPorts,
): Outcome {
  say('error', `${path} cannot be imported and was left as it is`);
  for (const { line, text } of problems)
    say('error', `${path}${line === undefined ? '' : `:${line}`}: ${text}`);
  const note = join(dirname(path), NOTE_NAME);
  const bytes = errorNote(basename(path), problems, version);
  try {
    const there = disk.look(note);
    if (there?.is === 'file' && there.bytes === bytes.length && disk.read(note, bytes.length).equals(bytes))
      return 'refused';
    // Straight to its place: a torn one is not this one, and the next boot writes it again.
    disk.create(note, bytes, 0o644);
    disk.sync(dirname(note));
  } catch (error) {
    say('warning', `${note} cannot be written: ${whyNot(error)}`);
  }
  return 'refused';
}

/** After the import is durable. What the boot partition refuses costs nothing but the secret's being there. */
function takeOff(path: string, bytes: Buffer, { digest }: ImportPlaces, { disk, say }: ImportPorts): Outcome {
  const note = join(dirname(path), NOTE_NAME);
  try {
    if (disk.look(note) !== undefined) {
      disk.remove(note);
      // Before the file goes: without it no later boot would come to remove the note.
      disk.sync(dirname(note));
    }
  } catch (error) {
    say('warning', `${note}, of an earlier attempt, cannot be removed: ${whyNot(error)}`);
  }
  const retired = retire(disk, path, bytes.length);
  if (retired.is === 'gone') {
    say('info', `${path} is overwritten and removed`);
    if (disk.look(digest) !== undefined) {
      disk.remove(digest);
      disk.sync(dirname(digest));
    }
    return 'imported';
  }
  const why = whyNot(retired.error);
  if (retired.is === 'overwritten') {
    say('warning', `${path} is overwritten but cannot be removed: ${why}; delete it by hand`);
    return 'imported';
  }
  say(
    'warning',
    `${path} CANNOT BE REMOVED AND STILL HOLDS WHAT WAS IN IT, THE SECRET TOO: ${why}; delete it by hand`,
  );
  if (!isImportedAlready(bytes, { digest }, disk)) {
    disk.create(digest, digestOf(bytes), 0o600);
    disk.sync(dirname(digest));
  }
  return 'imported';
}

function isImportedAlready(bytes: Buffer, { digest }: Pick<ImportPlaces, 'digest'>, disk: Disk): boolean {
  const there = disk.look(digest);
  return there?.is === 'file' && disk.read(digest, there.bytes).equals(digestOf(bytes));
}

/** 0600 like the secret itself, which a digest would let others guess. */
function digestOf(bytes: Buffer): Buffer {
  return Buffer.from(`${createHash('sha256').update(bytes).digest('hex')}\n`);
}
