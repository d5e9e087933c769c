/** The program of the unit: missing, not executable, or where the sandbox of the service hides it. */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { findProgramProblem } from '../../../src/host/systemd/unit-program.ts';
import { hostOf } from '../host-files.ts';

const NODE = '/usr/bin/node';

it('findProgramProblem accepts an executable file, also behind a link', (t) => {
  const root = hostOf(t, { 'usr/bin/node20': '', 'usr/bin/other': '' });
  chmodSync(join(root, 'usr/bin/node20'), 0o755);
  symlinkSync('node20', join(root, NODE));
  assert.equal(findProgramProblem(NODE, root), undefined);
  assert.match(findProgramProblem('/usr/bin/other', root)?.cause ?? '', /not executable/);
});

it('findProgramProblem names a link into a directory that the service cannot read', (t) => {
  for (const place of ['home/pi/.nvm', 'root', 'run/user/1000']) {
    const root = hostOf(t, { [`${place}/node`]: '' });
    chmodSync(join(root, place, 'node'), 0o755);
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    symlinkSync(`../../${place}/node`, join(root, NODE));
    const problem = findProgramProblem(NODE, root);
    assert.equal(problem?.cause, `/usr/bin/node is a link to /${place}/node, which the service cannot read`);
    assert.match(problem?.remedy ?? '', /^install Node 20\.19 or later as \/usr\/bin\/node, not as a link/);
  }
});

it('findProgramProblem names a program that does not exist', (t) => {
  assert.match(findProgramProblem(NODE, hostOf(t))?.cause ?? '', /\/usr\/bin\/node does not exist/);
});
