/** The order of versions, as deb-version(7) defines it. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { comparePackageVersions, isPackageVersion } from '../../../src/core/update/package-version.ts';

/** Ascending; equal ones in one row. */
const ORDER = [
  ['0~~'],
  ['0~'],
  ['0'],
  ['0.1.0~rc1'],
  ['0.1.0', '0.01.0'],
  ['0.1.0+1'],
  ['0.1.0.1'],
  ['0.1.9'],
  ['0.1.10'],
  ['1.0~beta'],
  ['1.0'],
  ['1.0a'],
  ['1.0b'],
  ['1.0+'],
  ['2'],
  ['10'],
];

test('versions have the order of deb-version(7), also for dpkg', () => {
  const hasDpkg = spawnSync('dpkg', ['--version']).status === 0;
  for (const [indexA, rowA] of ORDER.entries())
    for (const [indexB, rowB] of ORDER.entries())
      for (const a of rowA)
        for (const b of rowB) {
          const expected = Math.sign(indexA - indexB);
          assert.equal(Math.sign(comparePackageVersions(a, b)), expected, `${a} and ${b}`);
          const operator = expected < 0 ? 'lt' : expected > 0 ? 'gt' : 'eq';
          if (hasDpkg && indexA + 1 >= indexB && indexA <= indexB)
            assert.equal(
              spawnSync('dpkg', ['--compare-versions', a, operator, b]).status,
              0,
              `${a} ${operator} ${b}`,
            );
        }
});

test('a version has no epoch, no revision and at most 64 characters', () => {
  for (const version of ['1', '0.1.0', '0.1.0~rc1+2', `1${'0'.repeat(63)}`])
    assert.ok(isPackageVersion(version), version);
  for (const version of ['', 'v1', '1:1', '1-1', '1 ', '1\n', '1/..', `1${'0'.repeat(64)}`, 1, undefined])
    assert.ok(!isPackageVersion(version), String(version));
});
