/**
 * `npm run package`: makes dist/firstlight_VERSION_all.deb for apt, and dist/firstlight-VERSION.tar.gz with the same files for
 * systems without dpkg, and where a C compiler and libssl are, dist/firstlight-dtls_VERSION_ARCHITECTURE.deb. Two builds of one source are identical, byte for byte.
 *
 * `--deb-version VERSION` sets the version of the package, for rebuilds and to test upgrades; `--output DIR` the directory.
 * `--sign KEYFILE` also makes dist/firstlight-VERSION.update, signed (firstlight update keygen makes the key; repeat it for
 * several signatures), with `--minimum-version VERSION`, or `--allow-downgrade --maximum-version VERSION`, as its terms. Needs
 * dpkg-deb (Debian package dpkg) and GNU tar, but neither root nor a network.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare, root } from './lib/prepare.mjs';
import { sourceDate } from './package/changelog.mjs';

const { values: options } = parseArgs({
  options: {
    'deb-version': { type: 'string' },
    output: { type: 'string' },
    sign: { type: 'string', multiple: true, default: [] },
    'minimum-version': { type: 'string' },
    'allow-downgrade': { type: 'boolean', default: false },
    'maximum-version': { type: 'string' },
  },
});

prepare();
// Loaded here because they read what prepare() makes.
const { controlOf, maintainer } = await import('./package/control.mjs');
const { dtlsPackageOf } = await import('./package/dtls.mjs');
const { filesOf, writeTree } = await import('./package/tree.mjs');

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { version } = manifest;
const debVersion = options['deb-version'] ?? version;
// A native package, without a revision. Characters as in deb-version(7).
if (!/^\d[0-9A-Za-z.+~]*$/.test(debVersion))
  stop(`--deb-version ${debVersion} must be a digit, then letters, digits and . + ~`);
const epoch = sourceDate(root);
const output = resolve(options.output ?? join(root, 'dist'));
const work = join(output, 'package');
const node = manifest.engines.node.replace(/^>=/, '');
const release = {
  version,
  node,
  debVersion,
  epoch,
  maintainer,
  date: new Date(epoch * 1000).toISOString().slice(0, 10),
};

mkdirSync(work, { recursive: true });
const bundle = join(work, 'firstlight.mjs');
run(
  process.execPath,
  [join(root, 'scripts', 'bundle.mjs'), '--outfile', bundle],
  'bundling failed: see the errors above',
);
const files = await filesOf(bundle, release);

const deb = packed('deb', `firstlight_${debVersion}_all.deb`, [
  ...files,
  ...controlOf(files, { debVersion, node }),
]);
const dtls = dtlsPackageOf(work, release);
const dtlsDeb =
  dtls.problem === undefined
    ? packed('deb-dtls', `firstlight-dtls_${debVersion}_${dtls.architecture}.deb`, dtls.files)
    : undefined;

const name = `firstlight-${debVersion}`;
const unpacked = join(work, name);
const program = (script) => [script, readFileSync(join(root, 'scripts', script)), 0o755];
writeTree(
  unpacked,
  [
    program('install.sh'),
    program('uninstall.sh'),
    ...files.map(([path, ...rest]) => [`root/${path}`, ...rest]),
  ],
  epoch,
);
const tarball = join(output, `${name}.tar.gz`);
const owners = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--format=ustar'];
run(
  'tar',
  [...owners, '--use-compress-program=gzip -9n', '-C', work, '-cf', tarball, name],
  'the tarball could not be built: check that GNU tar is installed',
);
// scripts/install.sh looks here in a clone.
cpSync(join(unpacked, 'root'), join(work, 'root'), { recursive: true, preserveTimestamps: true });

const update = join(output, `${name}.update`);
if (options.sign.length > 0)
  run(
    process.execPath,
    [
      join(root, 'dist', 'src', 'main.js'),
      ...['update', 'sign', deb, '--output', update],
      ...options.sign.flatMap((key) => ['--key', resolve(key)]),
      ...['minimum-version', 'maximum-version'].flatMap((name) =>
        options[name] === undefined ? [] : [`--${name}`, options[name]],
      ),
      ...(options['allow-downgrade'] ? ['--allow-downgrade'] : []),
    ],
    'the update was not signed',
  );

const made = [deb, ...(dtlsDeb ? [dtlsDeb] : []), tarball, ...(options.sign.length > 0 ? [update] : [])];
for (const file of made)
  console.log(`${relative(process.cwd(), file)}: ${Math.round(statSync(file).size / 1000)} kB`);
if (dtls.problem !== undefined) console.log(`no package firstlight-dtls, because ${dtls.problem}`);

function packed(directory, file, content) {
  const staged = join(work, directory);
  writeTree(staged, content, epoch);
  const target = join(output, file);
  run(
    'dpkg-deb',
    ['--root-owner-group', '-Zxz', '--build', staged, target],
    'the package could not be built: check that dpkg-deb is installed',
    // The number of threads changes the bytes.
    { SOURCE_DATE_EPOCH: String(epoch), DPKG_DEB_THREADS_MAX: '1' },
  );
  return target;
}

function run(command, commandLine, sentence, environment = {}) {
  const { status, stdout } = spawnSync(command, commandLine, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  if (status !== 0) stop(`${stdout ?? ''}${sentence}`);
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}
