/**
 * Makes a package of what is installed now, for the first update of a gateway whose package is not at hand.
 *
 * The program must be what dpkg installed. A configuration file that was changed is left out, so that the package does not
 * present the operator's file as its own: dpkg then keeps it, and remembers that it was changed.
 */

import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errorMessage } from '../../core/model/error-code.ts';
import { syncDirectory } from './node-installation-disk.ts';
import type { DpkgResult } from './ports.ts';
import type { RunHostCommand } from './run-host-command.ts';

/** dpkg's own files of a package that do not belong into it. */
const NOT_IN_PACKAGE: ReadonlySet<string> = new Set(['list', 'conffiles']);
const FILES_MAX = 10_000;

/** `root`, `info`: for tests. */
export async function repackInstalled(
  name: string,
  deb: string,
  run: RunHostCommand,
  { root = '/', info = '/var/lib/dpkg/info' } = {},
): Promise<DpkgResult> {
  const tree = `${deb}.tree`;
  rmSync(tree, { recursive: true, force: true });
  try {
    const list = await run('dpkg-query', ['--listfiles', name]);
    const status = await run('dpkg-query', ['--status', name]);
    const config = await run('dpkg-query', ['--show', `--showformat=\${Conffiles}`, name]);
    const failed = [list, status, config].find(({ isOk }) => !isOk);
    if (failed) return { ok: false, problem: failed.problem };
    const conffiles = unchangedConffiles(config.output, root);
    const paths = list.output.split('\n').filter((path) => /^\/[^\n]/.test(path) && path !== '/.');
    if (paths.length > FILES_MAX) return { ok: false, problem: `it has more than ${FILES_MAX} files` };
    mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
    for (const path of paths) copyEntry(path, { root, tree, conffiles });
    const changed = changedFile(readText(join(info, `${name}.md5sums`)), tree);
    if (changed !== undefined)
      return {
        ok: false,
        problem: `/${changed} is not what dpkg installed: run apt-get install --reinstall ${name}`,
      };
    writeControl(tree, { name, info, control: controlOf(status.output), conffiles });
    const built = `${deb}.new`;
    const { isOk, problem } = await run('dpkg-deb', [
      ...['--root-owner-group', '-Zgzip', '-z1', '--build', tree, built],
    ]);
    if (!isOk) return { ok: false, problem };
    const file = openSync(built, 'r');
    fsyncSync(file);
    closeSync(file);
    renameSync(built, deb);
    syncDirectory(dirname(deb));
    return { ok: true };
  } catch (error) {
    return { ok: false, problem: errorMessage(error) };
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

interface Conffiles {
  readonly unchanged: ReadonlySet<string>;
  readonly changed: ReadonlySet<string>;
}

/** Lines of " PATH MD5", some with "obsolete" behind (deb-conffiles(5)). */
function unchangedConffiles(text: string, root: string): Conffiles {
  const unchanged = new Set<string>();
  const changed = new Set<string>();
  for (const line of text.split('\n')) {
    const [path, md5, flag] = line.trim().split(' ');
    if (path === undefined || path === '' || md5 === undefined) continue;
    const isUnchanged = flag === undefined && md5Of(join(root, path)) === md5;
    (isUnchanged ? unchanged : changed).add(path);
  }
  return { unchanged, changed };
}

function copyEntry(
  path: string,
  { root, tree, conffiles }: { root: string; tree: string; conffiles: Conffiles },
): void {
  if (conffiles.changed.has(path)) return;
  const [from, to] = [join(root, path), join(tree, path)];
  const stats = lstatSync(from);
  // A directory of the package may be a link on this host: /lib to /usr/lib.
  if (stats.isDirectory()) mkdirSync(to, { recursive: true });
  else mkdirSync(dirname(to), { recursive: true });
  if (stats.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else if (stats.isFile()) {
    copyFileSync(from, to);
    utimesSync(to, stats.mtime, stats.mtime);
  }
  if (!stats.isSymbolicLink()) chmodSync(to, stats.mode & 0o7777);
}

function writeControl(
  tree: string,
  { name, info, control, conffiles }: { name: string; info: string; control: string; conffiles: Conffiles },
): void {
  const inside = (file: string) => join(tree, 'DEBIAN', file);
  writeFileSync(inside('control'), control);
  const paths = [...conffiles.unchanged].map((path) => `${path}\n`).join('');
  if (paths !== '') writeFileSync(inside('conffiles'), paths);
  for (const file of readdirSync(info)) {
    const kind = file.startsWith(`${name}.`) ? file.slice(name.length + 1) : '';
    if (kind === '' || NOT_IN_PACKAGE.has(kind)) continue;
    copyFileSync(join(info, file), inside(kind));
    chmodSync(inside(kind), lstatSync(join(info, file)).mode & 0o777);
  }
  chmodSync(join(tree, 'DEBIAN'), 0o755);
}

/** The first file of the package that differs from dpkg's list; undefined if none does. */
function changedFile(md5sums: string, tree: string): string | undefined {
  for (const line of md5sums.split('\n')) {
    const [, md5, path] = /^([0-9a-f]{32}) {2}(.+)$/.exec(line) ?? [];
    if (path !== undefined && md5Of(join(tree, path)) !== md5) return path;
  }
  return undefined;
}

/** The fields of the package without those of its installation. */
function controlOf(status: string): string {
  const fields = status.trimEnd().split(/\n(?! )/);
  const kept = fields.filter((field) => !/^(Status|Conffiles|Config-Version):/.test(field));
  return `${kept.join('\n')}\n`;
}

function md5Of(path: string): string | undefined {
  try {
    return createHash('md5').update(readFileSync(path)).digest('hex');
  } catch {
    return undefined;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
