/**
 * Finds the file that a person has put on the boot partition: the one, several, or one that is nearly it.
 *
 * Windows hides the end of a name, so that `firstlight.toml.txt` looks like `firstlight.toml`; on file systems that tell
 * capital letters apart, `Firstlight.TOML` is another file. Neither is taken, since a guess may be wrong; both are told.
 */

import { basename, dirname, join } from 'node:path';
import type { Disk } from './disk.ts';

export type SourceResult =
  | { readonly is: 'none' }
  | { readonly is: 'one'; readonly path: string }
  | { readonly is: 'several'; readonly paths: readonly string[] }
  | { readonly is: 'misnamed'; readonly path: string; readonly wanted: string };

export function findSource(disk: Disk, candidates: readonly string[]): SourceResult {
  const byId = new Map<string, string>();
  for (const path of candidates) {
    const info = disk.stat(path);
    // One file may be reached by two paths, where /boot is the boot partition itself.
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
