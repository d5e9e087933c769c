/**
 * Finds the configuration file on the boot partition.
 *
 * A file with a similar name is reported, not imported, because a guess may be wrong: Windows hides file name extensions
 * (`firstlight.toml.txt`), and some file systems distinguish `Firstlight.TOML`.
 */

import { basename, dirname, join } from 'node:path';
import type { Disk } from './disk.ts';

export type ImportFileSearch =
  | { readonly is: 'none' }
  | { readonly is: 'one'; readonly path: string }
  | { readonly is: 'several'; readonly paths: readonly string[] }
  | { readonly is: 'misnamed'; readonly path: string; readonly wanted: string };

export function findImportFile(disk: Disk, candidates: readonly string[]): ImportFileSearch {
  const byId = new Map<string, string>();
  for (const path of candidates) {
    const info = disk.stat(path);
    // If /boot is the boot partition itself, one file may have two paths.
    if (info !== undefined && !byId.has(info.id)) byId.set(info.id, path);
  }
  const [first, ...others] = byId.values();
  if (first !== undefined)
    return others.length > 0 ? { is: 'several', paths: [...byId.values()] } : { is: 'one', path: first };
  for (const wanted of candidates) {
    const similarName = disk.list(dirname(wanted)).find((name) => isSimilarName(name, basename(wanted)));
    if (similarName !== undefined)
      return { is: 'misnamed', path: join(dirname(wanted), similarName), wanted: basename(wanted) };
  }
  return { is: 'none' };
}

function isSimilarName(name: string, wanted: string): boolean {
  const [actual, expected] = [name.toLowerCase(), wanted.toLowerCase()];
  const stem = expected.replace(/\.toml$/, '');
  return [
    expected,
    `${expected}.txt`,
    `${expected}.toml`,
    `${stem}.txt`,
    `${stem}.tml`,
    `${stem}.conf`,
    stem,
  ].includes(actual);
}
