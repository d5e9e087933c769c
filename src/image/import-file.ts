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
import { curlyQuotesLine, decodeText, SOURCE_BYTES_MAX } from './config-text.ts';
import { type Disk, describeError } from './disk.ts';
import { isRetired, retire } from './erase-file.ts';
import { errorNote, type ImportProblem, NOTE_NAME } from './error-note.ts';
import { findSource } from './find-import-file.ts';
import { type InstallRequest, installFiles, type NewFile } from './install-config.ts';

/** What the loader has made of the text. */
export type CheckResult =
  | {
      readonly ok: true;
      readonly config: NewFile;
      readonly secrets: readonly NewFile[];
      readonly stale: readonly string[];
      /** What is unwise, though not wrong. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly ImportProblem[] };

export interface ImportPorts {
  readonly disk: Disk;
  readonly check: (text: string) => CheckResult;
  readonly shouldBackUp: InstallRequest['shouldBackUp'];
  readonly report: (level: 'info' | 'warning' | 'error', sentence: string) => void;
  readonly version: string;
}

export interface ImportPaths {
  /** Paths where the file may be. */
  readonly sources: readonly string[];
  /** Where the digest of a file is kept that cannot be removed. */
  readonly digest: string;
}

export type Outcome = 'nothing to do' | 'imported' | 'rejected' | 'failed';

export function importFile(paths: ImportPaths, ports: ImportPorts): Outcome {
  const { disk, report } = ports;
  try {
    const found = findSource(disk, paths.sources);
    switch (found.is) {
      case 'none':
        report('info', `there is nothing to import: no ${paths.sources.join(' and no ')}`);
        return 'nothing to do';
      case 'one':
        return importOne(found.path, paths, ports);
      case 'misnamed':
        return reject(found.path, [{ text: misnamedText(found.path, found.wanted) }], ports);
      case 'several':
        for (const path of found.paths) reject(path, [{ text: severalSourcesText(found.paths) }], ports);
        return 'rejected';
    }
  } catch (error) {
    report('error', `the import could not be finished, the next boot tries again: ${describeError(error)}`);
    return 'failed';
  }
}

function importOne(path: string, paths: ImportPaths, ports: ImportPorts): Outcome {
  const { disk, report } = ports;
  if (disk.stat(path)?.is !== 'file') return reject(path, [{ text: 'it is not a regular file' }], ports);
  const bytes = disk.read(path, SOURCE_BYTES_MAX + 1);
  if (isRetired(bytes)) return removeSource(path, bytes, paths, ports);
  if (wasImported(bytes, paths, disk)) {
    report('info', `${path} was imported before and is not imported again`);
    return removeSource(path, bytes, paths, ports);
  }
  const text = decodeText(bytes);
  if (text.is === 'unusable') return reject(path, [{ line: text.line, text: `it ${text.what}` }], ports);
  const result = ports.check(text.text);
  if (!result.ok) return reject(path, [...result.problems, ...curlyQuoteProblems(text.text)], ports);
  const { backup, removed } = installFiles(disk, { ...result, shouldBackUp: ports.shouldBackUp });
  report('info', `${path} is imported as ${result.config.path}`);
  for (const secret of result.secrets) report('info', `the secret in it is in ${secret.path} now`);
  if (backup !== undefined) report('info', `the configuration before is kept as ${backup}`);
  for (const stale of removed) report('info', `${stale}, of the configuration before, is removed`);
  for (const warning of result.warnings) report('warning', warning);
  return removeSource(path, bytes, paths, ports);
}

function misnamedText(path: string, wanted: string): string {
  const hidden = /\.txt$/i.test(path)
    ? '. Windows hides the end of names: in the Explorer, switch on View, Show, File name extensions'
    : '';
  return `its name must be ${wanted}, in small letters; rename it${hidden}`;
}

function severalSourcesText(paths: readonly string[]): string {
  return `there are several of them, and nobody can say which counts; leave only one: ${paths.join(', ')}`;
}

function curlyQuoteProblems(text: string): readonly ImportProblem[] {
  const line = curlyQuotesLine(text);
  return line === undefined
    ? []
    : [{ line, text: 'has the curly quotes of a word processor; use straight ones: "' }];
}

/** Says what is wrong, also beside the file, and leaves everything as it is. */
function reject(
  path: string,
  problems: readonly ImportProblem[],
  { disk, report, version }: ImportPorts,
): Outcome {
  report('error', `${path} cannot be imported and was left as it is`);
  for (const { line, text } of problems)
    report('error', `${path}${line === undefined ? '' : `:${line}`}: ${text}`);
  const note = join(dirname(path), NOTE_NAME);
  const bytes = errorNote(basename(path), problems, version);
  try {
    const info = disk.stat(note);
    if (info?.is === 'file' && info.bytes === bytes.length && disk.read(note, bytes.length).equals(bytes))
      return 'rejected';
    // Straight to its place: a torn one is not this one, and the next boot writes it again.
    disk.create(note, bytes, 0o644);
    disk.sync(dirname(note));
  } catch (error) {
    report('warning', `${note} cannot be written: ${describeError(error)}`);
  }
  return 'rejected';
}

/** After the import is durable. What the boot partition refuses costs nothing but the secret's being there. */
function removeSource(
  path: string,
  bytes: Buffer,
  { digest }: ImportPaths,
  { disk, report }: ImportPorts,
): Outcome {
  const note = join(dirname(path), NOTE_NAME);
  try {
    if (disk.stat(note) !== undefined) {
      disk.remove(note);
      // Before the file goes: without it no later boot would come to remove the note.
      disk.sync(dirname(note));
    }
  } catch (error) {
    report('warning', `${note}, of an earlier attempt, cannot be removed: ${describeError(error)}`);
  }
  const outcome = retire(disk, path, bytes.length);
  if (outcome.is === 'removed') {
    report('info', `${path} is overwritten and removed`);
    if (disk.stat(digest) !== undefined) {
      disk.remove(digest);
      disk.sync(dirname(digest));
    }
    return 'imported';
  }
  const why = describeError(outcome.error);
  if (outcome.is === 'overwritten') {
    report('warning', `${path} is overwritten but cannot be removed: ${why}; delete it by hand`);
    return 'imported';
  }
  report(
    'warning',
    `${path} CANNOT BE REMOVED AND STILL HOLDS WHAT WAS IN IT, THE SECRET TOO: ${why}; delete it by hand`,
  );
  if (!wasImported(bytes, { digest }, disk)) {
    disk.create(digest, digestOf(bytes), 0o600);
    disk.sync(dirname(digest));
  }
  return 'imported';
}

function wasImported(bytes: Buffer, { digest }: Pick<ImportPaths, 'digest'>, disk: Disk): boolean {
  const info = disk.stat(digest);
  return info?.is === 'file' && disk.read(digest, info.bytes).equals(digestOf(bytes));
}

/** 0600 like the secret itself, which a digest would let others guess. */
function digestOf(bytes: Buffer): Buffer {
  return Buffer.from(`${createHash('sha256').update(bytes).digest('hex')}\n`);
}
