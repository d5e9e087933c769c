/**
 * Finds the file that a person has put on the boot partition: the one, several, or one that is nearly it.
 *
 * Windows hides the end of a name, so that `firstlight.toml.txt` looks like `firstlight.toml`; on file systems that tell
 * capital letters apart, `Firstlight.TOML` is another file. Neither is taken, since a guess may be wrong; both are told.
 */

import { basename, dirname, join } from 'node:path';
import type { Disk } from './disk.ts';

export type Found =
  | { readonly is: 'none' }
  | { readonly is: 'one'; readonly path: string }
  | { readonly is: 'several'; readonly paths: readonly string[] }
  | { readonly is: 'misnamed'; readonly path: string; readonly wanted: string };

export function findSource(disk: Disk, candidates: readonly string[]): Found {
  const byId = new Map<string, string>();
  for (const path of candidates) {
    const look = disk.look(path);
    // One file may be reached by two paths, where /boot is the boot partition itself.
    if (look !== undefined && !byId.has(look.id)) byId.set(look.id, path);
  }
  const [first, ...others] = byId.values();
  if (first !== undefined)
    return others.length > 0 ? { is: 'several', paths: [...byId.values()] } : { is: 'one', path: first };
  for (const wanted of candidates) {
    const near = disk.names(dirname(wanted)).find((name) => isNearly(name, basename(wanted)));
    if (near !== undefined)
      return { is: 'misnamed', path: join(dirname(wanted), near), wanted: basename(wanted) };
  }
  return { is: 'none' };
}

function isNearly(name: string, wanted: string): boolean {
  const [given, right] = [name.toLowerCase(), wanted.toLowerCase()];
  const stem = right.replace(/\.toml$/, '');
  return [
    right,
    `${right}.txt`,
    `${right}.toml`,
    `${stem}.txt`,
    `${stem}.tml`,
    `${stem}.conf`,
    stem,
  ].includes(given);
}
