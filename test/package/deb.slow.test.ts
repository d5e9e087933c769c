/** The Debian package: its contents, that it is reproducible, and that the checkers of Debian accept it. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { NODE_FLAGS } from '../../src/app/node-flags.ts';
import { VERSION } from '../../src/app/version.ts';
import { renderExample } from '../../src/config/example.ts';
import { variableOf } from '../../src/config/schema/setting.ts';
import { allSettings } from '../../src/config/schema/settings.ts';
import { EVENTS } from '../../src/core/events/catalogue.ts';
import { buildPackage, missingTools } from './built-package.ts';

const INSTALLED_KIB_MAX = 3 * 1024;
const MANUAL_PAGES = [
  'usr/share/man/man5/firstlight.toml.5.gz',
  'usr/share/man/man1/firstlight.1.gz',
  'usr/share/man/man7/firstlight-events.7.gz',
];

describe('the Debian package', { skip: missingTools('dpkg-deb', 'tar', 'gzip') }, () => {
  let builtPackage: ReturnType<typeof buildPackage>;
  let root: string;

  before(() => {
    builtPackage = buildPackage();
    root = join(builtPackage.directory, 'unpacked');
    execFileSync('dpkg-deb', ['-R', builtPackage.deb, root]);
  });

  after(() => rmSync(builtPackage.directory, { recursive: true, force: true }));

  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const field = (name: string, deb = builtPackage.deb): string =>
    execFileSync('dpkg-deb', ['-f', deb, name], { encoding: 'utf8' }).trim();
  const page = (path: string): string =>
    execFileSync('gzip', ['-dc', join(root, path)], { encoding: 'utf8' });

  it('the package and the tarball are reproducible byte for byte', () => {
    const secondBuild = buildPackage();
    try {
      assert.ok(readFileSync(builtPackage.deb).equals(readFileSync(secondBuild.deb)), 'the package');
      assert.ok(readFileSync(builtPackage.tarball).equals(readFileSync(secondBuild.tarball)), 'the tarball');
      if (builtPackage.dtlsDeb !== undefined && secondBuild.dtlsDeb !== undefined)
        assert.ok(
          readFileSync(builtPackage.dtlsDeb).equals(readFileSync(secondBuild.dtlsDeb)),
          'of the helper',
        );
    } finally {
      rmSync(secondBuild.directory, { recursive: true, force: true });
    }
  });

  it('the package is for all architectures, depends only on Node and installs below 3 MB', () => {
    assert.equal(field('Version'), VERSION);
    assert.equal(field('Architecture'), 'all');
    assert.equal(field('Depends'), 'nodejs (>= 20.19)');
    assert.equal(field('Recommends'), 'firstlight-dtls');
    assert.ok(Number(field('Installed-Size')) < INSTALLED_KIB_MAX, field('Installed-Size'));
  });

  it('the package contains only files of root that nobody else can write', () => {
    const lines = execFileSync('dpkg-deb', ['-c', builtPackage.deb], { encoding: 'utf8' }).trim().split('\n');
    for (const line of lines) assert.match(line, /^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x) root\/root /);
  });

  it('the package has every unit, and the example configuration as its only conffile', () => {
    const units = readdirSync('systemd').filter((file) => file.endsWith('.service'));
    for (const unit of units)
      assert.equal(read(`usr/lib/systemd/system/${unit}`), readFileSync(join('systemd', unit), 'utf8'));
    assert.equal(read('DEBIAN/conffiles'), '/etc/firstlight/firstlight.toml\n');
    assert.equal(read('etc/firstlight/firstlight.toml'), renderExample());
    assert.deepEqual(readdirSync(join(root, 'etc/firstlight/conf.d')), []);
  });

  it('the package of the DTLS helper is for this machine, and its program runs', (context) => {
    const { dtlsDeb } = builtPackage;
    if (dtlsDeb === undefined) return context.skip('no C compiler, libssl-dev or dpkg-shlibdeps');
    const unpacked = join(builtPackage.directory, 'unpacked-dtls');
    execFileSync('dpkg-deb', ['-R', dtlsDeb, unpacked]);
    const machine = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
    assert.equal(field('Architecture', dtlsDeb), machine);
    assert.equal(field('Version', dtlsDeb), VERSION);
    assert.match(field('Depends', dtlsDeb), /^libc6 \(>= [^)]+\), libssl3(t64)? \(>= 3[^)]*\)$/);
    const helper = join(unpacked, 'usr/libexec/firstlight/firstlight-dtls');
    const { stdout } = spawnSync(helper, ['--version'], { encoding: 'utf8' });
    assert.ok(stdout.startsWith(`firstlight-dtls ${VERSION} (OpenSSL `), stdout);
  });

  it('one of the two packages is refused beside the other one of another protocol', (context) => {
    const { deb, dtlsDeb } = builtPackage;
    if (dtlsDeb === undefined) return context.skip('no C compiler, libssl-dev or dpkg-shlibdeps');
    for (const [file, other] of [
      [deb, 'firstlight-dtls'],
      [dtlsDeb, 'firstlight'],
    ] as const) {
      const root = join(builtPackage.directory, `beside-${other}`);
      const database = join(root, 'var/lib/dpkg');
      for (const name of ['info', 'updates']) mkdirSync(join(database, name), { recursive: true });
      writeFileSync(
        join(database, 'status'),
        `Package: ${other}\nStatus: install ok installed\nMaintainer: x\nArchitecture: all\nVersion: 0.0.9\nDescription: x\n`,
      );
      const { status, stderr } = spawnSync('dpkg', [`--root=${root}`, '--no-act', '--install', file], {
        encoding: 'utf8',
        env: { ...process.env, LC_ALL: 'C' },
      });
      assert.notEqual(status, 0);
      assert.match(stderr, new RegExp(`installing \\S+ would break ${other}\\b`));
    }
  });

  it('the wrapper starts the agent with the flags of the unit', () => {
    const program = `/usr/bin/node ${NODE_FLAGS.join(' ')} /usr/lib/firstlight/firstlight.mjs "$@"`;
    assert.ok(read('usr/bin/firstlight').includes(`run) exec ${program} ;;`));
  });

  it('the package unpacks the parts before the file that loads them, for power cuts', () => {
    const paths = execFileSync('dpkg-deb', ['-c', builtPackage.deb], { encoding: 'utf8' }).match(
      /usr\/lib\/firstlight\/.*\.mjs$/gm,
    );
    assert.ok((paths?.length ?? 0) > 2);
    assert.equal(paths?.at(-1), 'usr/lib/firstlight/firstlight.mjs');
  });

  it('the packaged program runs from its directory', () => {
    const program = join(root, 'usr/lib/firstlight/firstlight.mjs');
    const { stdout } = spawnSync(process.execPath, [program, '--version'], { encoding: 'utf8' });
    assert.equal(stdout.trim(), VERSION);
  });

  it('the package has the licence of every library in the bundle, with its text', () => {
    const copyright = read('usr/share/doc/firstlight/copyright');
    for (const library of ['commander', 'coap', 'winston', 'conf', 'smol-toml', 'valibot'])
      assert.ok(copyright.includes(`Files: node_modules/${library}/*\n`), library);
    const used = [...copyright.matchAll(/^License: (\S+)$/gm)].map(([, label]) => label);
    for (const label of new Set(used)) {
      const texts = copyright.split(new RegExp(`^License: ${label}\n (?=\\S)`, 'm')).length - 1;
      assert.equal(texts, 1, `the text of ${label}`);
    }
  });

  it('the manual pages describe every setting, command and event', () => {
    const [settings, commands, events] = MANUAL_PAGES.map((path) => page(path).replaceAll('\\-', '-')) as [
      string,
      string,
      string,
    ];
    for (const setting of allSettings) assert.ok(settings.includes(variableOf(setting)), setting.key);
    const help = spawnSync(process.execPath, ['dist/src/main.js', '--help'], { encoding: 'utf8' }).stdout;
    const names = [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+)/gm)].map(
      ([, name]) => name,
    );
    for (const name of names.filter((each) => each !== 'help'))
      assert.ok(commands.includes(`.SS "firstlight ${name}`), name);
    for (const id of Object.keys(EVENTS).filter((each) => each !== 'FL-ABORTED'))
      assert.ok(events.includes(`.SS "${id}"\n`), id);
  });

  it('the manual page and the completion list every command and option', () => {
    const manual = page('usr/share/man/man1/firstlight.1.gz').replaceAll('\\-', '-');
    const completion = read('usr/share/bash-completion/completions/firstlight');
    for (const path of commandPaths([])) {
      const flags = [...helpOf(path).matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag = '']) => flag);
      const name = path.map((word) => ` ${word}`).join('');
      const words =
        completion
          .split('\n')
          .find((line) => line.includes(`'${name}') words=`))
          ?.split(/[' ]+/) ?? [];
      const sections = manual.split(/^\.S[SH] /m);
      const section = name === '' ? manual : sections.find((each) => each.startsWith(`"firstlight${name}`));
      assert.ok(section, `manual of${name}`);
      assert.ok(flags.includes('--help'), name);
      for (const flag of flags) {
        assert.ok(words.includes(flag), `completion of${name} ${flag}`);
        assert.ok(section.includes(flag) || flag === '--help', `manual of${name} ${flag}`);
      }
    }
  });

  it('the manual pages cause no warning of man', { skip: missingTools('man') }, () => {
    for (const path of MANUAL_PAGES) {
      const { status, stderr } = spawnSync(
        'man',
        ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', join(root, path)],
        { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8', MANROFFSEQ: '' } },
      );
      assert.deepEqual([status, stderr], [0, ''], path);
    }
  });

  it('the completion completes commands, options and directories in bash', {
    skip: missingTools('bash'),
  }, () => {
    const completion = join(root, 'usr/share/bash-completion/completions/firstlight');
    const completionsOf = (...line: readonly string[]): string[] => {
      // declare -p prints it as declare -a COMPREPLY=([0]="sample")
      const script =
        'compopt() { :; }; source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _firstlight; declare -p COMPREPLY';
      const output = execFileSync('bash', ['-c', script, completion, ...line], { encoding: 'utf8' });
      return [...output.matchAll(/\[\d+\]="([^"]*)"/g)].map(([, word = '']) => word);
    };
    assert.deepEqual(completionsOf('firstlight', 'sam'), ['sample']);
    assert.deepEqual(completionsOf('firstlight', 'run', '--c'), ['--config']);
    assert.ok(completionsOf('firstlight', '').includes('run'));
    assert.deepEqual(completionsOf('firstlight', 'run', '--state', '/us'), ['/usr'], 'a directory');
    assert.deepEqual(completionsOf('firstlight', 'sandbox', '--coap-port', ''), [], 'nothing to guess');
  });

  it('the packages pass lintian at error and warning level', { skip: missingTools('lintian') }, () => {
    const root = process.getuid?.() === 0 ? ['--allow-root'] : [];
    const { status, stdout } = spawnSync(
      'lintian',
      [
        ...root,
        ...['--fail-on', 'error,warning', builtPackage.deb],
        ...(builtPackage.dtlsDeb === undefined ? [] : [builtPackage.dtlsDeb]),
      ],
      { encoding: 'utf8' },
    );
    assert.deepEqual([status, stdout], [0, '']);
  });

  it('the maintainer scripts and the wrapper pass shellcheck', { skip: missingTools('shellcheck') }, () => {
    const maintainer = ['DEBIAN/postinst', 'DEBIAN/prerm', 'DEBIAN/postrm'];
    const scripts = [...maintainer, 'usr/bin/firstlight', 'usr/lib/firstlight/check-node'];
    const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', ...scripts], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout);
  });
});

function helpOf(path: readonly string[]): string {
  return spawnSync(process.execPath, ['dist/src/main.js', ...path, '--help'], { encoding: 'utf8' }).stdout;
}

/** Each command in the help of the program, with its subcommands. */
function commandPaths(path: readonly string[]): (readonly string[])[] {
  const [, commandHelp = ''] = helpOf(path).split('\nCommands:\n');
  const names = [...commandHelp.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name);
  return [path, ...names.filter((name) => name !== 'help').flatMap((name) => commandPaths([...path, name]))];
}
