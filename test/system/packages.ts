/**
 * The packages under test in two versions: the one of this tree and a higher one. scripts/package.mjs builds
 * them, or a directory contains both (`--packages DIR`); firstlight-dtls only where there is a C compiler.
 */

import { appendFile, copyFile, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PROJECT } from '../paths.ts';
import { enterGroupsScript, freshName, lockFileOf, removeMachine } from './cleanup.ts';
import { run } from './command.ts';
import type { Layers } from './root-layers.ts';

const BUILT_WITHIN_MS = 180_000;

export interface Versions {
  readonly lower: string;
  readonly higher: string;
}

export interface Packages extends Versions {
  /** firstlight-dtls; absent if it was not built. */
  readonly dtls?: Versions;
}

export async function packages(directory: string, existing: string | undefined): Promise<Packages> {
  const from = existing ?? (await build(directory));
  const names = await readdir(from);
  const agent = versionsOf(from, names, /^firstlight_(.*)_all\.deb$/);
  if (!agent) throw new Error(`${from} must hold two versions of firstlight: ${names.join(', ')}`);
  const dtls = versionsOf(from, names, /^firstlight-dtls_(.*)_[a-z0-9]+\.deb$/);
  return { ...agent, ...(dtls && { dtls }) };
}

/** Undefined unless there are two. The lower version is a prefix of the higher one, so it sorts first. */
function versionsOf(from: string, names: readonly string[], pattern: RegExp): Versions | undefined {
  const found = names.flatMap((name) => {
    const version = pattern.exec(name)?.[1];
    return version === undefined ? [] : [{ name, version }];
  });
  const [lower, higher, ...others] = found.sort((a, b) => (a.version < b.version ? -1 : 1));
  if (lower === undefined || higher === undefined || others.length > 0) return undefined;
  return { lower: join(from, lower.name), higher: join(from, higher.name) };
}

/** Copies the package into /root of a gateway. Returns its path there. */
export async function copyPackage(deb: string, root: string): Promise<string> {
  const inside = join('/root', basename(deb));
  await copyFile(deb, join(root, inside));
  return inside;
}

/**
 * The command that installs the package without a network. A question of dpkg about a configuration file
 * makes it fail: an unattended upgrade must not ask anything.
 */
export function install(...inside: readonly string[]): string[] {
  return ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '-y', ...inside];
}

/** A layer in which the package is installed as by an image builder: no systemd runs, nothing starts. */
export async function installedLayer(bare: Layers, deb: string): Promise<Layers> {
  const root = await bare.root();
  const inside = await copyPackage(deb, root.path);
  const name = freshName();
  const nspawn = 'exec systemd-nspawn --register=no --keep-unit --quiet --as-pid2 --pipe';
  const script = `${enterGroupsScript(name)}\n${nspawn} --directory=${root.path} --machine=${name} "$@"`;
  const lock = lockFileOf(root.path);
  try {
    await run(['sh', '-c', script, 'sh', ...install(inside)], 120_000);
  } finally {
    removeMachine(name);
    await rm(lock, { force: true });
  }
  return await root.seal();
}

async function build(directory: string): Promise<string> {
  const script = join(PROJECT, 'scripts', 'package.mjs');
  const one = await run([process.execPath, script, '--output', directory], BUILT_WITHIN_MS);
  const version = /firstlight_(\S+)_all\.deb/.exec(one)?.[1];
  if (version === undefined) throw new Error(`scripts/package.mjs named no package: ${one}`);
  const next = `${version}+1`;
  await run([process.execPath, script, '--output', directory, '--deb-version', next], BUILT_WITHIN_MS);
  await changeDefaults(join(directory, `firstlight_${next}_all.deb`));
  return directory;
}

/** Adds a setting, so that the configuration file of the next version differs. */
async function changeDefaults(deb: string): Promise<void> {
  const unpacked = `${deb}.unpacked`;
  await run(['dpkg-deb', '--raw-extract', deb, unpacked], BUILT_WITHIN_MS);
  await appendFile(
    join(unpacked, 'etc/firstlight/firstlight.toml'),
    '\n# Added by the next version.\n#new = "1"\n',
  );
  await run(['dpkg-deb', '--root-owner-group', '--build', unpacked, deb], BUILT_WITHIN_MS);
  await rm(unpacked, { recursive: true });
}
