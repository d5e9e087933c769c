/**
 * Prepares a fresh clone: checks Node, installs the libraries of the lock file if they are missing, compiles what changed,
 * the C programs only where a C compiler and libssl are. With `bundle` also the bundle, dist/firstlight.mjs, which tests start.
 * Uses Node only, because it runs before anything is installed.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { compilePrograms } from './compile-c.mjs';

export const root = join(import.meta.dirname, '..', '..');

const FLOOR = [20, 19];

export function prepare({ bundle = false } = {}) {
  checkNode();
  install();
  compile();
  compilePrograms();
  if (bundle)
    run(process.execPath, [join(root, 'scripts', 'bundle.mjs')], 'bundling failed: see the errors above');
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1])) return;
  stop(
    `Firstlight needs Node ${FLOOR.join('.')} or later, this is ${process.versions.node}: install a newer version`,
  );
}

/** npm records in node_modules what it installed; if the record is older than the lock file, the lock file has changed. */
function install() {
  const lock = join(root, 'package-lock.json');
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log('installing the libraries named in package-lock.json …');
  run(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
    'npm could not install the libraries: see the errors above',
  );
}

function compile() {
  removeOrphans('src');
  removeOrphans('test');
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  run(process.execPath, [compiler, '--project', root], 'compiling failed: see the errors above');
}

/**
 * The compiler does not delete what it wrote, so a compiled file whose source is gone is deleted here: a deleted test must not
 * go on passing. Nor does it write again what somebody else deleted, so then everything is compiled again.
 */
function removeOrphans(folder) {
  const sources = new Set(
    filesBelow(join(root, folder))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => file.replace(/\.ts$/, '.js')),
  );
  const compiled = filesBelow(join(root, 'dist', folder));
  for (const file of compiled) {
    if (!sources.has(file.replace(/\.map$/, ''))) rmSync(join(root, 'dist', folder, file), { force: true });
  }
  const there = new Set(compiled);
  for (const file of sources) {
    if (!there.has(file)) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
  }
}

/** Links are not followed: below test/fixtures some lead in circles. */
export function filesBelow(folder, within = '') {
  if (!existsSync(folder)) return [];
  return readdirSync(join(folder, within), { withFileTypes: true }).flatMap((entry) => {
    const path = join(within, entry.name);
    return entry.isDirectory() ? filesBelow(folder, path) : [path];
  });
}

function run(command, args, sentence) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) stop(`${command} failed to start (${error.code}): check that it is installed`);
  if (status !== 0) stop(sentence);
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}
