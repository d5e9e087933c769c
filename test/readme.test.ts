/** The README and the other papers say what the code does. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { VERSION } from '../src/app/version.ts';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};
const readme = readFileSync('README.md', 'utf8');

test('the tables in the README are those of the code', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/readme.mjs', '--check'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
});

test('the version the agent tells is that of the package, and the changelog has it', () => {
  assert.equal(VERSION, manifest.version);
  assert.ok(readFileSync('CHANGELOG.md', 'utf8').includes(`## ${VERSION}`));
});

test('every dependency has its sentence in the README, and its exact version in the manifest', () => {
  for (const [name, version] of Object.entries(manifest.dependencies)) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
    assert.match(readme, new RegExp(`^\\| \`${name}\` \\| .{10,} \\|$`, 'm'), name);
  }
});
