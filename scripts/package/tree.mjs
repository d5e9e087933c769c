/**
 * All files that are installed, for the package and the tarball. `writeTree` writes them below a directory, with fixed modes and
 * dates.
 */

import { chmodSync, lutimesSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readCommands } from '../lib/commands.mjs';
import { root } from '../lib/prepare.mjs';
import { loadNodeFlags } from '../lib/sources.mjs';
import { renderChangelog } from './changelog.mjs';
import { renderCompletion } from './completion.mjs';
import { renderManPages } from './man.mjs';

const read = (...path) => readFileSync(join(root, ...path), 'utf8');
const isUnit = (file) => /\.(service|socket|path|timer|target)$/.test(file);

/** The units of systemd/, with the facts that the maintainer scripts need. */
export function unitsOf() {
  const names = readdirSync(join(root, 'systemd')).filter(isUnit).sort();
  return names.map((name) => {
    const text = read('systemd', name);
    const isEnabled = /^\[Install\]$/m.test(text) && !/ Ships disabled/.test(text);
    const runsOnce = /^Type=oneshot$/m.test(text) || / Ends by itself/.test(text);
    return { name, text, isEnabled, runsOnce };
  });
}

/** `[path, content, mode]`; a path that ends in / is an empty directory. */
export async function filesOf(bundle, release) {
  const nodeFlags = await loadNodeFlags();
  const pages = await renderManPages(release);
  const documentation = 'usr/share/doc/firstlight';
  return [
    // dpkg unpacks in the order of names: these parts sort before the file that loads them, so that the program is complete
    // whenever the power fails.
    ...partsOf(bundle).map(([name, text]) => [`usr/lib/firstlight/code/${name}`, text, 0o644]),
    // Never started by its path: no #! line.
    ['usr/lib/firstlight/firstlight.mjs', readFileSync(bundle, 'utf8').replace(/^#!.*\n/, ''), 0o644],
    ['usr/lib/firstlight/install-update', read('scripts', 'package', 'install-update'), 0o755],
    ['usr/lib/firstlight/package-version', `${release.debVersion}\n`, 0o644],
    [
      'usr/lib/firstlight/check-node',
      read('scripts', 'package', 'check-node').replace('@NODE@', release.node),
      0o755,
    ],
    ['usr/lib/firstlight/capture-host.sh', read('scripts', 'capture-host.sh'), 0o755],
    [
      'usr/bin/firstlight',
      read('scripts', 'package', 'firstlight').replace('@FLAGS@', nodeFlags.join(' ')),
      0o755,
    ],
    ...unitsOf().map(({ name, text }) => [`usr/lib/systemd/system/${name}`, text, 0o644]),
    ['usr/lib/sysusers.d/firstlight.conf', read('systemd', 'firstlight.sysusers.conf'), 0o644],
    ['etc/firstlight/firstlight.toml', read('systemd', 'firstlight.toml'), 0o644],
    ['etc/firstlight/conf.d/', '', 0o755],
    ['etc/firstlight/update-keys.d/', '', 0o755],
    ...pages.map(([name, roff]) => [`usr/share/man/man${name.at(-1)}/${name}.gz`, zipped(roff), 0o644]),
    ['usr/share/bash-completion/completions/firstlight', renderCompletion(await readCommands()), 0o644],
    [`${documentation}/copyright`, readFileSync(bundle.replace(/\.mjs$/, '.copyright')), 0o644],
    ['usr/share/lintian/overrides/firstlight', read('scripts', 'package', 'lintian-overrides'), 0o644],
    [`${documentation}/changelog.gz`, zippedChangelog(release), 0o644],
  ];
}

/** `[name, text]` of the parts that the bundle loads when it needs them. */
function partsOf(bundle) {
  const code = join(dirname(bundle), 'code');
  const names = readdirSync(code).sort();
  return names.map((name) => [name, readFileSync(join(code, name), 'utf8')]);
}

export function writeTree(directory, files, epoch) {
  rmSync(directory, { recursive: true, force: true });
  for (const [path, content, mode] of files) {
    const place = join(directory, path);
    mkdirSync(path.endsWith('/') ? place : dirname(place), { recursive: true });
    if (path.endsWith('/')) continue;
    writeFileSync(place, content);
    chmodSync(place, mode);
  }
  // Independent of umask and date.
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const place = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isDirectory()) chmodSync(place, 0o755);
    lutimesSync(place, epoch, epoch);
  }
  chmodSync(directory, 0o755);
  lutimesSync(directory, epoch, epoch);
}

export function zippedChangelog(release) {
  return zipped(renderChangelog(root, release));
}

/** As gzip -9n: Node writes neither name nor date. */
function zipped(text) {
  return gzipSync(text, { level: 9 });
}
