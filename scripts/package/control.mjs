/** The files below DEBIAN/: control, conffiles, md5sums and the maintainer scripts, from the templates in scripts/package/. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/prepare.mjs';
import { unitsOf } from './tree.mjs';

const KIB = 1024;
const template = (name) => readFileSync(join(root, 'scripts', 'package', name), 'utf8');

export const maintainer = /^Maintainer: (.+)$/m.exec(template('control'))?.[1] ?? '';

/** `[path, content, mode]`; `node` is the oldest version of Node that is supported. */
export function controlOf(files, { debVersion, node }) {
  const units = unitsOf();
  const names = (list) => list.map(({ name }) => name).join(' ');
  const enabled = units.filter(({ isEnabled }) => isEnabled);
  const filled = (name) =>
    fill(template(name), {
      VERSION: debVersion,
      INSTALLED_SIZE: String(installedKib(files)),
      NODE: node,
      UNITS: names(units),
      ENABLED: names(enabled),
      RESTARTED: names(enabled.filter(({ runsOnce }) => !runsOnce)),
    });
  const real = files.filter(([path]) => !path.endsWith('/'));
  return [
    ['DEBIAN/control', filled('control'), 0o644],
    [
      'DEBIAN/conffiles',
      lines(real.filter(([path]) => path.startsWith('etc/')).map(([path]) => `/${path}`)),
      0o644,
    ],
    md5sumsOf(real),
    ...['postinst', 'prerm', 'postrm'].map((name) => [`DEBIAN/${name}`, filled(name), 0o755]),
  ];
}

/** The control files of firstlight-dtls. `depends` is of dpkg-shlibdeps. */
export function dtlsControlOf(files, { debVersion, architecture, depends }) {
  const control = fill(template('control-dtls'), {
    VERSION: debVersion,
    ARCHITECTURE: architecture,
    INSTALLED_SIZE: String(installedKib(files)),
    DEPENDS: depends,
  });
  return [['DEBIAN/control', control, 0o644], md5sumsOf(files)];
}

function md5sumsOf(files) {
  const sums = files
    .filter(([path]) => !path.startsWith('etc/'))
    .map(([path, content]) => `${createHash('md5').update(content).digest('hex')}  ${path}`);
  return ['DEBIAN/md5sums', lines(sums.sort()), 0o644];
}

function fill(text, words) {
  return text.replace(/@([A-Z_]+)@/g, (_whole, name) => {
    if (words[name] === undefined) throw new Error(`no value for @${name}@`);
    return words[name];
  });
}

/** As dpkg-gencontrol does: each file rounded up to a KiB, each directory one. */
function installedKib(files) {
  const directories = new Set();
  let kib = 0;
  for (const [path, content] of files) {
    kib += Math.ceil(Buffer.byteLength(content) / KIB);
    const words = path.split('/').slice(0, -1);
    for (const index of words.keys()) directories.add(words.slice(0, index + 1).join('/'));
  }
  return kib + directories.size;
}

function lines(each) {
  return each.map((line) => `${line}\n`).join('');
}
