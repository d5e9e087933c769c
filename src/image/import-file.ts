/**
 * Imports the configuration file of the boot partition.
 *
 *   found ─▶ decoded ─▶ valid ─▶ installed, durable ─▶ note of an earlier attempt removed ─▶ certificate files beside it, then
 *               │         │                               the file overwritten and removed
 *               └─────────┴─ invalid ─▶ note beside it; nothing else changes
 *
 * The file is removed last, so after a power cut the next boot repeats the import with the same result. If it cannot be removed (a
 * read-only boot partition), its digest is stored, so that the next boot does not overwrite later changes of an operator.
 */

import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { curlyQuotesLine, decodeText, SOURCE_BYTES_MAX } from './config-text.ts';
import { type Disk, describeError } from './disk.ts';
import { eraseFile, isErased } from './erase-file.ts';
import { errorNote, type ImportProblem, NOTE_NAME } from './error-note.ts';
import { findImportFile } from './find-import-file.ts';
import { type InstallRequest, installFiles, type NewFile } from './install-config.ts';

/** The result of the configuration loader. */
export type CheckResult =
  | {
      readonly ok: true;
      readonly config: NewFile;
      readonly secrets: readonly NewFile[];
      /** Certificates, which every user may read. */
      readonly certificates: readonly NewFile[];
      /** Files beside the imported one whose content is in `secrets` or `certificates`. */
      readonly moved: readonly string[];
      readonly stale: readonly string[];
      /** About valid but unsafe settings. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly ImportProblem[] };

export interface ImportPorts {
  readonly disk: Disk;
  /** `path`: of the file with the text. */
  readonly check: (text: string, path: string) => CheckResult;
  readonly shouldBackUp: InstallRequest['shouldBackUp'];
  readonly report: (level: 'info' | 'warning' | 'error', sentence: string) => void;
  readonly version: string;
}

export interface ImportPaths {
  /** Possible paths of the file. */
  readonly sources: readonly string[];
  /** The digest of an imported file that could not be removed. */
  readonly digest: string;
}

export type Outcome = 'nothing to do' | 'imported' | 'rejected' | 'failed';

export function importFile(paths: ImportPaths, ports: ImportPorts): Outcome {
  const { disk, report } = ports;
  try {
    const found = findImportFile(disk, paths.sources);
    switch (found.is) {
      case 'none':
        report('info', `there is nothing to import: found no ${paths.sources.join(' and no ')}`);
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
    report('error', `the import failed and will be repeated at the next boot: ${describeError(error)}`);
    return 'failed';
  }
}

function importOne(path: string, paths: ImportPaths, ports: ImportPorts): Outcome {
  const { disk, report } = ports;
  if (disk.stat(path)?.is !== 'file') return reject(path, [{ text: 'it is not a regular file' }], ports);
  const bytes = disk.read(path, SOURCE_BYTES_MAX + 1);
  if (isErased(bytes)) return removeSources(path, bytes, [], paths, ports);
  if (wasImported(bytes, paths, disk)) {
    report('info', `${path} was already imported`);
    const again = decodeText(bytes);
    const result = again.is === 'unusable' ? undefined : ports.check(again.text, path);
    return removeSources(path, bytes, result?.ok ? result.moved : [], paths, ports);
  }
  const text = decodeText(bytes);
  if (text.is === 'unusable') return reject(path, [{ line: text.line, text: `it ${text.what}` }], ports);
  const result = ports.check(text.text, path);
  if (!result.ok) return reject(path, [...result.problems, ...curlyQuoteProblems(text.text)], ports);
  const { backup, removed } = installFiles(disk, { ...result, shouldBackUp: ports.shouldBackUp });
  report('info', `${path} was imported as ${result.config.path}`);
  for (const secret of result.secrets) report('info', `its secret was moved to ${secret.path}`);
  for (const { path } of result.certificates) report('info', `its certificate was moved to ${path}`);
  if (backup !== undefined) report('info', `the previous configuration was saved as ${backup}`);
  for (const stale of removed) report('info', `${stale} of the previous configuration was removed`);
  for (const warning of result.warnings) report('warning', warning);
  return removeSources(path, bytes, result.moved, paths, ports);
}

function misnamedText(path: string, wanted: string): string {
  const hidden = /\.txt$/i.test(path)
    ? '. Windows hides file name extensions: in Explorer, turn on View, Show, File name extensions'
    : '';
  return `its name must be ${wanted}, in lower case; rename it${hidden}`;
}

function severalSourcesText(paths: readonly string[]): string {
  return `there are several files, and the agent cannot choose between them; keep only one: ${paths.join(', ')}`;
}

function curlyQuoteProblems(text: string): readonly ImportProblem[] {
  const line = curlyQuotesLine(text);
  return line === undefined ? [] : [{ line, text: 'contains curly quotes; use straight quotes: "' }];
}

/** Reports the problems, also in the note beside the file, and changes nothing else. */
function reject(
  path: string,
  problems: readonly ImportProblem[],
  { disk, report, version }: ImportPorts,
): Outcome {
  report('error', `${path} cannot be imported and is unchanged`);
  for (const { line, text } of problems)
    report('error', `${path}${line === undefined ? '' : `:${line}`}: ${text}`);
  const note = join(dirname(path), NOTE_NAME);
  const bytes = errorNote(basename(path), problems, version);
  try {
    const info = disk.stat(note);
    if (info?.is === 'file' && info.bytes === bytes.length && disk.read(note, bytes.length).equals(bytes))
      return 'rejected';
    // Not atomic: a truncated note differs, and the next boot writes it again.
    disk.create(note, bytes, 0o644);
    disk.sync(dirname(note));
  } catch (error) {
    report('warning', `${note} cannot be written: ${describeError(error)}`);
  }
  return 'rejected';
}

/**
 * Called after the import is durable. If this fails, only the secrets stay on the boot partition. The file itself is last:
 * without it, no later boot would find the others.
 */
function removeSources(
  path: string,
  bytes: Buffer,
  moved: readonly string[],
  { digest }: ImportPaths,
  { disk, report }: ImportPorts,
): Outcome {
  const note = join(dirname(path), NOTE_NAME);
  try {
    if (disk.stat(note) !== undefined) {
      disk.remove(note);
      // Before the file is removed: without the file no later boot would remove the note.
      disk.sync(dirname(note));
    }
  } catch (error) {
    report('warning', `${note} of an earlier attempt cannot be removed: ${describeError(error)}`);
  }
  for (const file of [...moved, path]) {
    const info = disk.stat(file);
    if (info?.is !== 'file') continue;
    const outcome = eraseFile(disk, file, info.bytes);
    if (outcome.is === 'removed') {
      report('info', `${file} was overwritten and removed`);
      continue;
    }
    const reason = describeError(outcome.error);
    if (outcome.is === 'overwritten') {
      report('warning', `${file} was overwritten but cannot be removed: ${reason}; delete it manually`);
      continue;
    }
    const content = file === path ? 'its settings and secret' : 'its certificate or key';
    report(
      'warning',
      `${file} cannot be removed and still contains ${content}: ${reason}; delete it manually`,
    );
    if (!wasImported(bytes, { digest }, disk)) {
      disk.create(digest, digestOf(bytes), 0o600);
      disk.sync(dirname(digest));
    }
    return 'imported';
  }
  if (disk.stat(path) === undefined && disk.stat(digest) !== undefined) {
    disk.remove(digest);
    disk.sync(dirname(digest));
  }
  return 'imported';
}

function wasImported(bytes: Buffer, { digest }: Pick<ImportPaths, 'digest'>, disk: Disk): boolean {
  const info = disk.stat(digest);
  return info?.is === 'file' && disk.read(digest, info.bytes).equals(digestOf(bytes));
}

/** Stored with 0600 like the secret, because others could test guesses against a digest. */
function digestOf(bytes: Buffer): Buffer {
  return Buffer.from(`${createHash('sha256').update(bytes).digest('hex')}\n`);
}
