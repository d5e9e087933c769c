/**
 * scripts/install.sh and scripts/uninstall.sh, with a root directory of their own, so that they need no root
 * rights.
 */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { buildPackage, missingTools } from './built-package.ts';

const CONFIG = 'etc/firstlight/firstlight.toml';

describe('install.sh and uninstall.sh', {
  skip: missingTools('dpkg-deb', 'tar', 'gzip', 'sha256sum'),
}, () => {
  let builtPackage: ReturnType<typeof buildPackage>;
  let source: string;
  let root: string;

  before(() => {
    builtPackage = buildPackage();
    execFileSync('tar', ['-xzf', builtPackage.tarball, '-C', builtPackage.directory]);
    source = builtPackage.tarball.replace(/\.tar\.gz$/, '');
  });

  beforeEach(() => {
    root = mkdtempSync(join(builtPackage.directory, 'root-'));
  });

  after(() => rmSync(builtPackage.directory, { recursive: true, force: true }));

  function sh(script: string, ...options: readonly string[]) {
    return spawnSync('sh', [join(source, script), ...options], { encoding: 'utf8' });
  }

  function install(...options: readonly string[]): string {
    const { status, stdout, stderr } = sh('install.sh', '--root', root, ...options);
    assert.equal(status, 0, stderr);
    return stdout;
  }

  const files = (): string[] =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .sort();

  it('install.sh installs the files of the package', () => {
    install();
    const inPackage = execFileSync('dpkg-deb', ['--fsys-tarfile', builtPackage.deb], {
      maxBuffer: 16 * 1024 * 1024,
    });
    const names = execFileSync('tar', ['-t'], { input: inPackage, encoding: 'utf8' })
      .split('\n')
      .filter((name) => name !== '' && !name.endsWith('/'));
    const here = new Set(files());
    assert.deepEqual(
      names.map((name) => name.replace(/^\.\//, '')).filter((name) => !here.has(name)),
      [],
    );
    assert.ok(existsSync(join(root, 'etc/firstlight/conf.d')));
  });

  it('install.sh changes nothing when run again or with --dry-run', () => {
    assert.match(install('--dry-run'), /would install \/usr\/bin\/firstlight/);
    assert.deepEqual(files(), []);
    install();
    assert.equal(install(), '');
  });

  it('install.sh keeps an edited configuration and adds the new example', () => {
    install();
    appendFileSync(join(root, CONFIG), '# mine\n');
    writeFileSync(join(source, 'root', CONFIG), '# of a later version\n');
    try {
      assert.match(install(), /keep your \/etc\/firstlight\/firstlight\.toml/);
      assert.match(readFileSync(join(root, CONFIG), 'utf8'), /# mine\n$/);
      assert.equal(readFileSync(join(root, `${CONFIG}.new`), 'utf8'), '# of a later version\n');
    } finally {
      execFileSync('tar', ['-xzf', builtPackage.tarball, '-C', builtPackage.directory]);
    }
  });

  it('install.sh replaces an unedited configuration and removes obsolete files', () => {
    install();
    const program = readFileSync(join(root, 'usr/lib/firstlight/installed'), 'utf8');
    writeFileSync(join(root, 'usr/lib/firstlight/installed'), `${program}file usr/lib/firstlight/old.mjs\n`);
    writeFileSync(join(root, 'usr/lib/firstlight/old.mjs'), '');
    writeFileSync(join(source, 'root', CONFIG), '# of a later version\n');
    try {
      install();
      assert.equal(readFileSync(join(root, CONFIG), 'utf8'), '# of a later version\n');
      assert.ok(!existsSync(join(root, 'usr/lib/firstlight/old.mjs')));
    } finally {
      execFileSync('tar', ['-xzf', builtPackage.tarball, '-C', builtPackage.directory]);
    }
  });

  it('install.sh and uninstall.sh remove what an interrupted run has left', () => {
    install();
    const leaveParts = () => {
      for (const name of ['run-0LDPARTS.mjs', 'run-N3WPARTS.mjs.firstlight-new'])
        writeFileSync(join(root, 'usr/lib/firstlight/code', name), 'torn');
    };
    leaveParts();
    assert.match(install('--dry-run'), /would remove .*run-0LDPARTS\.mjs\n/);
    install();
    assert.deepEqual(
      files().filter((file) => file.includes('PARTS')),
      [],
    );
    assert.equal(install(), '');
    leaveParts();
    assert.equal(sh('uninstall.sh', '--root', root).status, 0);
    assert.deepEqual(files(), [CONFIG]);
  });

  it('uninstall.sh keeps configuration and state, and deletes both with --purge', () => {
    install();
    mkdirSync(join(root, 'var/lib/private/firstlight'), { recursive: true });
    writeFileSync(join(root, 'var/lib/private/firstlight/credentials.json'), '{}');
    mkdirSync(join(root, 'run/private/firstlight'), { recursive: true });
    const uninstall = join(root, 'usr/lib/firstlight/uninstall.sh');
    const copy = join(builtPackage.directory, 'uninstall.sh');
    writeFileSync(copy, readFileSync(uninstall));
    assert.equal(spawnSync('sh', [copy, '--root', root]).status, 0);
    assert.deepEqual(files(), [CONFIG, 'var/lib/private/firstlight/credentials.json']);
    assert.equal(spawnSync('sh', [copy, '--root', root, '--purge']).status, 0);
    assert.deepEqual(files(), []);
    assert.ok(!existsSync(join(root, 'run/private/firstlight')));
    assert.equal(spawnSync('sh', [copy, '--root', root, '--purge']).status, 0, 'again');
  });

  it('install.sh writes the path of --node to the unit and the wrapper', () => {
    install('--node', '/opt/node/bin/node');
    assert.match(readFileSync(join(root, 'usr/bin/firstlight'), 'utf8'), /exec \/opt\/node\/bin\/node /);
    const unit = readFileSync(join(root, 'usr/lib/systemd/system/firstlight.service'), 'utf8');
    assert.match(unit, /^ExecStart=\/opt\/node\/bin\/node /m);
  });

  it('install.sh and uninstall.sh print their usage and reject unknown options', () => {
    for (const script of ['install.sh', 'uninstall.sh']) {
      assert.match(sh(script, '--help').stdout, /^Usage: /);
      assert.equal(sh(script, '--nonsense').status, 64);
    }
  });

  it('install.sh reports missing systemd and an old Node before any change', () => {
    const old = join(builtPackage.directory, 'node');
    writeFileSync(old, '#!/bin/sh\necho v18.19.0\n', { mode: 0o755 });
    const { status, stderr } = sh('install.sh', '--dry-run', '--node', old);
    assert.equal(status, 1);
    assert.match(stderr, /is v18\.19\.0, Firstlight needs v20\.19 or later/);
    if (!existsSync('/run/systemd/system')) assert.match(stderr, /does not run systemd/);
  });

  it('install.sh does not change a package installed by apt', () => {
    mkdirSync(join(root, 'var/lib/dpkg/info'), { recursive: true });
    writeFileSync(join(root, 'var/lib/dpkg/info/firstlight.prerm'), '');
    const { status, stderr } = sh('install.sh', '--root', root);
    assert.equal(status, 1);
    assert.match(stderr, /installed as a package/);
  });

  it('install.sh and uninstall.sh pass shellcheck', { skip: missingTools('shellcheck') }, () => {
    const { status, stdout } = spawnSync('shellcheck', ['scripts/install.sh', 'scripts/uninstall.sh'], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout);
  });
});
