/** The launcher of the package where Node does not run, and its sentence about why. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

const read = (name: string) => readFileSync(join(process.cwd(), 'scripts', 'package', name), 'utf8');

/** The launcher as it is installed, with everything below one directory. `run` starts it. */
class Installation {
  readonly directory: string;
  readonly node: string;

  constructor(t: TestContext) {
    this.directory = mkdtempSync(join(tmpdir(), 'firstlight-launcher-'));
    t.after(() => rmSync(this.directory, { recursive: true, force: true }));
    this.node = join(this.directory, 'usr/bin/node');
    for (const directory of ['usr/bin', 'usr/lib/firstlight', 'usr/local/bin'])
      mkdirSync(join(this.directory, directory), { recursive: true });
    this.write('usr/lib/firstlight/check-node', read('check-node').replace('@NODE@', '20.19'));
    const launcher = read('firstlight').replaceAll('/usr/', `${this.directory}/usr/`);
    this.write('usr/bin/firstlight', launcher.replace('@FLAGS@', '--flag'));
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.directory, path), text, { mode: 0o755 });
  }

  /** A Node of this version, which prints its arguments. */
  writeNode(path = 'usr/bin/node', version = 'v20.19.2'): void {
    this.write(path, `#!/bin/sh\ncase $1 in --version) echo ${version} ;; *) echo "$@" ;; esac\n`);
  }

  run(...words: readonly string[]) {
    const PATH = `${this.directory}/usr/local/bin:${process.env['PATH']}`;
    const { status, stdout, stderr } = spawnSync(join(this.directory, 'usr/bin/firstlight'), words, {
      encoding: 'utf8',
      env: { PATH },
    });
    return {
      status,
      stdout: stdout.replaceAll(this.directory, ''),
      stderr: stderr.replaceAll(this.directory, ''),
    };
  }

  check() {
    const { status, stdout } = spawnSync(join(this.directory, 'usr/lib/firstlight/check-node'), [this.node], {
      encoding: 'utf8',
      env: { PATH: `${this.directory}/usr/local/bin:/usr/bin:/bin` },
    });
    return { status, text: stdout.replaceAll(this.directory, '') };
  }
}

describe('the launcher', () => {
  it('the launcher runs a Node that works, with the flags of the unit for run alone', (t) => {
    const at = new Installation(t);
    at.writeNode();
    assert.equal(at.run('status', '--json').stdout, '/usr/lib/firstlight/firstlight.mjs status --json\n');
    assert.equal(at.run('run').stdout, '--flag /usr/lib/firstlight/firstlight.mjs run\n');
    assert.deepEqual([at.check().status, at.check().text], [0, '']);
  });

  const faults: readonly [what: string, make: (at: Installation) => void, sentence: RegExp][] = [
    [
      'that is missing',
      () => {},
      /node does not exist( or is not executable|, and Firstlight does not use \S+): install Node 20\.19/,
    ],
    [
      'that is only in /usr/local/bin',
      (at) => at.writeNode('usr/local/bin/node'),
      /node does not exist, and Firstlight does not use \/usr\/local\/bin\/node: install/,
    ],
    [
      'for another processor (SIGILL)',
      (at) => at.write('usr/bin/node', '#!/bin/sh\nkill -ILL $$\n'),
      /is built for another processor than this one .*: install/,
    ],
    [
      'for another processor (format)',
      (at) => at.write('usr/bin/node', '\u007fELF\u0001\u0001\u0001\u0000'),
      /is built for another processor than this one .*: install/,
    ],
    [
      'that is too old',
      (at) => at.writeNode('usr/bin/node', 'v18.20.4'),
      /is v18\.20\.4, which is too old: install/,
    ],
    ['that is too old by its minor version', (at) => at.writeNode('usr/bin/node', 'v20.18.9'), /too old/],
    ['that fails', (at) => at.write('usr/bin/node', '#!/bin/sh\nexit 7\n'), /node does not run: install/],
    [
      'that is a link to nothing',
      (at) => symlinkSync('/nowhere/node', at.node),
      /is a link to \/nowhere\/node, which is missing or cannot be read/,
    ],
  ];
  for (const [what, make, sentence] of faults) {
    it(`the launcher says in one sentence why it cannot run a Node ${what}`, (t) => {
      const at = new Installation(t);
      make(at);
      const status = at.run('status');
      assert.match(status.stderr, /^firstlight cannot run: [^\n]+\n$/);
      assert.match(status.stderr, sentence);
      assert.deepEqual([status.status, status.stdout], [3, '']);
      assert.equal(at.run('doctor').status, 72);
      assert.equal(at.check().status, 1);
    });
  }

  const home = homedir();
  const skip = /^\/(home|root)(\/|$)/.test(home) ? false : `the home of this user is ${home}`;
  it('the launcher runs a Node in a home directory, which the service cannot read', { skip }, (t) => {
    const at = new Installation(t);
    const directory = mkdtempSync(join(home, 'firstlight-node-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    at.writeNode('node');
    symlinkSync(join(directory, 'node'), at.node);
    writeFileSync(join(directory, 'node'), readFileSync(join(at.directory, 'node')), { mode: 0o755 });
    assert.equal(at.run('status').status, 0);
    const { status, text } = at.check();
    assert.equal(status, 2);
    assert.match(text, /is a link to .*\/firstlight-node-.*, which the service cannot read: install/);
  });

  it('the launcher runs the program if the check is missing, as in the middle of an upgrade', (t) => {
    const at = new Installation(t);
    at.writeNode();
    rmSync(join(at.directory, 'usr/lib/firstlight/check-node'));
    assert.equal(at.run('status').stdout, '/usr/lib/firstlight/firstlight.mjs status\n');
  });

  it('the launcher passes its signals to the program', (t) => {
    const at = new Installation(t);
    at.write('usr/bin/node', '#!/bin/sh\n[ "$1" = --version ] && echo v22.0.0 && exit\nkill -TERM $$\n');
    const { signal } = spawnSync(join(at.directory, 'usr/bin/firstlight'), ['sample'], { encoding: 'utf8' });
    assert.equal(signal, 'SIGTERM', 'one process');
  });
});
