/** Adds devices to a captured host, and renumbers its devices as a reboot can. */

import { mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Values } from '../../../src/core/model/reading.ts';
import type { CapturedHost } from './captured-host.ts';

/**
 * The links in the folder that begin with the prefix and end in a number exchange their targets: first with
 * last, and so on.
 */
export function renumber(host: CapturedHost, folder: string, prefix: string): void {
  const names = readdirSync(join(host.root, folder))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .toSorted();
  const targets = names.map((name) => readlinkSync(join(host.root, folder, name))).toReversed();
  if (new Set(targets).size < 2) throw new Error(`nothing to renumber in ${folder}`);
  names.forEach((name, index) => {
    rmSync(join(host.root, folder, name));
    symlinkSync(targets[index] ?? '', join(host.root, folder, name));
  });
}

/** Writes the files of a device at `path` by name, and the link of its class, relative as the kernel's. */
export function addDevice(
  host: CapturedHost,
  path: string,
  files: Readonly<Record<string, string>>,
  link?: string,
) {
  mkdirSync(join(host.root, path), { recursive: true });
  for (const [name, text] of Object.entries(files)) host.write(`${path}/${name}`, `${text}\n`);
  if (link === undefined) return;
  mkdirSync(join(host.root, dirname(link)), { recursive: true });
  const target = path.replace(/^sys\//, '');
  symlinkSync(`${'../'.repeat(link.split('/').length - 2)}${target}`, join(host.root, link));
}

/** The values whose keys start with the prefix, sorted by key. */
export function valuesWithPrefix(values: Values, prefix: string): Values {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([key]) => key.startsWith(prefix))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
