/** What keeps systemd from starting the unit: mounts, links and files at the state directory; a Node that is hidden or missing. */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { findProgramProblem, findStateProblem } from '../../../src/host/systemd/unit-problems.ts';
import { hostOf } from '../host-files.ts';

interface Layout {
  readonly directories?: readonly string[];
  readonly files?: readonly string[];
  readonly links?: Readonly<Record<string, string>>;
  readonly mountPoint?: string;
}

function problemOf(t: TestContext, { directories = [], files = [], links = {}, mountPoint }: Layout) {
  const mounts = ['23 1 179:2 / / rw - ext4 /dev/root rw'];
  if (mountPoint !== undefined) mounts.push(`30 23 179:3 / ${mountPoint} rw - ext4 /dev/sda1 rw`);
  const root = hostOf(t, {
    'proc/self/mountinfo': `${mounts.join('\n')}\n`,
    ...Object.fromEntries(files.map((path) => [path, 'x'])),
  });
  for (const path of ['var/lib/private', ...directories]) mkdirSync(join(root, path), { recursive: true });
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  return findStateProblem(root);
}

const PUBLIC = 'var/lib/firstlight';
const PRIVATE = 'var/lib/private/firstlight';

describe('findStateProblem', () => {
  const sound: readonly [what: string, layout: Layout][] = [
    ['nothing', {}],
    ['what systemd made itself', { directories: [PRIVATE], links: { [PUBLIC]: 'private/firstlight' } }],
    ['an absolute link to the private directory', { links: { [PUBLIC]: `/${PRIVATE}` } }],
    ['a plain directory', { directories: [PUBLIC] }],
    ['a mount on the private directory', { directories: [PRIVATE], mountPoint: `/${PRIVATE}` }],
  ];
  for (const [what, layout] of sound)
    it(`findStateProblem accepts ${what}`, (t) => assert.equal(problemOf(t, layout), undefined));

  const problems: readonly [what: string, layout: Layout, cause: RegExp, remedy: RegExp][] = [
    [
      'a mount on the public name',
      { directories: [PUBLIC], mountPoint: `/${PUBLIC}` },
      /\/var\/lib\/firstlight is a mount point/,
      /^mount it at \/var\/lib\/private\/firstlight instead/,
    ],
    [
      'a link of an operator',
      { directories: ['data/fl'], links: { [PUBLIC]: '../../data/fl' } },
      /is a link to \/data\/fl/,
      /"\/data\/fl \/var\/lib\/private\/firstlight none bind 0 0" to \/etc\/fstab/,
    ],
    ['a file', { files: [PUBLIC] }, /is not a directory/, /^move that file away/],
    [
      'a link in the private directory',
      { links: { [PUBLIC]: 'private/firstlight', [PRIVATE]: '/data/fl' } },
      /private\/firstlight is a link to \/data\/fl, which systemd does not follow/,
      /"\/data\/fl \/var\/lib\/private\/firstlight none bind 0 0"/,
    ],
  ];
  for (const [what, layout, cause, remedy] of problems)
    it(`findStateProblem names ${what}, with the remedy`, (t) => {
      const problem = problemOf(t, layout);
      assert.match(problem?.cause ?? '', cause);
      assert.match(problem?.remedy ?? '', remedy);
    });
});

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
