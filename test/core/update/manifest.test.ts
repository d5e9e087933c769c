/** The manifest of an update and its conditions. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Manifest, parseManifest, partFor, versionProblem } from '../../../src/core/update/manifest.ts';

const part = {
  name: 'firstlight_0.2.0_all.deb',
  package: 'firstlight',
  architecture: 'all',
  bytes: 1000,
  sha256: 'a'.repeat(64),
};
const good = {
  title: 'firstlight',
  version: '0.2.0',
  minimumVersion: '0',
  allowDowngrade: false,
  parts: [part],
};

function problemOf(value: unknown): string {
  const parsed = parseManifest(JSON.stringify(value));
  return parsed.ok ? 'none' : parsed.problem;
}

test('a valid manifest is parsed', () => {
  assert.deepEqual(parseManifest(JSON.stringify(good)), { ok: true, value: good });
});

test('an invalid manifest is refused, with the member in the sentence', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [[], /is not a JSON object/],
    [{ ...good, title: 'other' }, /title "other"/],
    [{ ...good, version: '1:2' }, /version "1:2"/],
    [{ ...good, minimumVersion: undefined }, /minimumVersion/],
    [{ ...good, allowDowngrade: 'yes' }, /allowDowngrade/],
    [{ ...good, allowDowngrade: true }, /invalid maximumVersion "nothing"/],
    [{ ...good, allowDowngrade: true, maximumVersion: '1:0' }, /invalid maximumVersion "1:0"/],
    [{ ...good, allowDowngrade: true, maximumVersion: '0.2.0' }, /not newer than its version/],
    [{ ...good, maximumVersion: '0.3.0' }, /maximumVersion without allowDowngrade/],
    [{ ...good, notBefore: 1 }, /unknown member "notBefore"/],
    [{ ...good, parts: [] }, /1 to 16 parts/],
    [{ ...good, parts: Array.from({ length: 17 }, () => part) }, /1 to 16 parts/],
    [{ ...good, parts: [null] }, /part 1/],
    [{ ...good, parts: [{ ...part, path: '/' }] }, /unknown member "path"/],
    [{ ...good, parts: [{ ...part, name: '../../etc/passwd' }] }, /invalid name "..\/..\/etc\/passwd"/],
    [{ ...good, parts: [{ ...part, name: '/etc/passwd' }] }, /invalid name/],
    [{ ...good, parts: [{ ...part, name: '.' }] }, /invalid name/],
    [{ ...good, parts: [{ ...part, name: 'a\nb' }] }, /invalid name "a\?b"/],
    [{ ...good, parts: [{ ...part, package: 'sudo' }] }, /package "sudo"/],
    [{ ...good, parts: [{ ...part, architecture: '--root=/' }] }, /architecture/],
    [{ ...good, parts: [{ ...part, bytes: 64_000_001 }] }, /invalid size/],
    [{ ...good, parts: [{ ...part, bytes: -1 }] }, /invalid size/],
    [{ ...good, parts: [{ ...part, bytes: 1.5 }] }, /invalid size/],
    [{ ...good, parts: [{ ...part, sha256: 'A'.repeat(64) }] }, /SHA-256/],
    [{ ...good, parts: [part, { ...part, architecture: 'armhf' }] }, /two parts of the name/],
    [{ ...good, parts: [part, { ...part, name: 'b' }] }, /two parts for the architecture all/],
    [
      {
        ...good,
        parts: ['a', 'b'].map((name) => ({ ...part, name, architecture: name, bytes: 40_000_000 })),
      },
      /80000000 bytes/,
    ],
  ];
  for (const [value, pattern] of cases) assert.match(problemOf(value), pattern);
});

test('the part of the architecture precedes the part for all', () => {
  const armhf = { ...part, name: 'b', architecture: 'armhf' };
  const manifest: Manifest = { ...good, parts: [part, armhf] };
  assert.deepEqual(partFor(manifest, 'armhf'), { ok: true, value: armhf });
  assert.deepEqual(partFor(manifest, 'arm64'), { ok: true, value: part });
  const none = partFor({ ...good, parts: [armhf] }, 'amd64');
  assert.match(none.ok ? '' : none.problem, /architecture amd64/);
});

test('an update replaces only versions that its manifest allows', () => {
  const of = (installed: string, terms: Partial<Manifest> = {}) =>
    versionProblem({ ...good, ...terms }, installed);
  assert.equal(of('0.1.0'), undefined);
  assert.match(of('0.2.0') ?? '', /is installed already/);
  assert.match(of('0.3.0') ?? '', /is older than the installed 0.3.0/);
  const downgrade = { allowDowngrade: true, maximumVersion: '0.3.1' };
  assert.equal(of('0.3.0', downgrade), undefined);
  assert.equal(of('0.3.1', downgrade), undefined);
  assert.equal(of('0.1.0', downgrade), undefined);
  assert.match(of('0.3.2', downgrade) ?? '', /can replace version 0.3.1 or earlier, and 0.3.2 is installed/);
  assert.match(of('0.1.0', { minimumVersion: '0.1.5' }) ?? '', /update to 0.1.5 first/);
});
