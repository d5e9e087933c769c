/**
 * The package under test, twice: as it is, and with a higher version. Made by scripts/package.mjs, or taken from a directory that holds the
 * two (`--packages DIR`).
 */

import { appendFile, copyFile, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PROJECT } from '../paths.ts';
import { forgetMachine, freshName, intoGroups, lockOf } from './cleanup.ts';
import { run } from './command.ts';
import type { Layers } from './root-layers.ts';

const MADE_WITHIN_MS = 180_000;

export interface Packages {
  readonly lower: string;
  readonly higher: string;
}

export async function packages(directory: string, given: string | undefined): Promise<Packages> {
  const from = given ?? (await make(directory));
  // Without the ending the lower version is the beginning of the higher one.
  const versions = (await readdir(from)).flatMap((name) => /^(.*)_all\.deb$/.exec(name)?.[1] ?? []).sort();
  const found = versions.map((name) => `${name}_all.deb`);
  const [lower, higher] = found;
  if (lower === undefined || higher === undefined || found.length !== 2)
    throw new Error(`${from} must hold two packages, the lower version first by name: ${found.join(', ')}`);
  return { lower: join(from, lower), higher: join(from, higher) };
}

/** Puts it into /root of a gateway, where apt can be pointed at it. */
export async function carry(deb: string, root: string): Promise<string> {
  const inside = join('/root', basename(deb));
  await copyFile(deb, join(root, inside));
  return inside;
}

/**
 * `apt-get install`, without the network. Whatever dpkg would ask about a configuration file ends it, as nobody is there to
 * answer: an upgrade that nobody attends must not be asked anything.
 */
export function install(inside: string): string[] {
  return ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '-y', inside];
}

/** A layer with the package put in as an image builder does it: no systemd runs, nothing starts. */
export async function installedLayer(bare: Layers, deb: string): Promise<Layers> {
  const root = await bare.root();
  const inside = await carry(deb, root.path);
  const name = freshName();
  const nspawn = 'exec systemd-nspawn --register=no --keep-unit --quiet --as-pid2 --pipe';
  const script = `${intoGroups(name)}\n${nspawn} --directory=${root.path} --machine=${name} "$@"`;
  const lock = lockOf(root.path);
  try {
    await run(['sh', '-c', script, 'sh', ...install(inside)], 120_000);
  } finally {
    forgetMachine(name);
    await rm(lock, { force: true });
  }
  return await root.seal();
}

async function make(directory: string): Promise<string> {
  const script = join(PROJECT, 'scripts', 'package.mjs');
  const one = await run([process.execPath, script, '--output', directory], MADE_WITHIN_MS);
  const version = /firstlight_(\S+)_all\.deb/.exec(one)?.[1];
  if (version === undefined) throw new Error(`scripts/package.mjs named no package: ${one}`);
  const next = `${version}+1`;
  await run([process.execPath, script, '--output', directory, '--deb-version', next], MADE_WITHIN_MS);
  await changeDefaults(join(directory, `firstlight_${next}_all.deb`));
  return directory;
}

/** The next version has another setting, so its configuration file is not the one before. */
async function changeDefaults(deb: string): Promise<void> {
  const unpacked = `${deb}.unpacked`;
  await run(['dpkg-deb', '--raw-extract', deb, unpacked], MADE_WITHIN_MS);
  await appendFile(
    join(unpacked, 'etc/firstlight/firstlight.toml'),
    '\n# What the next version is about.\n#new = "1"\n',
  );
  await run(['dpkg-deb', '--root-owner-group', '--build', unpacked, deb], MADE_WITHIN_MS);
  await rm(unpacked, { recursive: true });
}
