/** `firstlight update keygen`, `sign` and `check`, as processes. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../app/agent-process.ts';
import { output } from '../credentials/command-harness.ts';

const hasDpkg = spawnSync('dpkg-deb', ['--version']).status === 0;

test('a new key signs a package, and its public half verifies the update', {
  skip: hasDpkg ? false : 'dpkg-deb is not installed',
  timeout: 60_000,
}, async () => {
  await using place = await tempDir();
  const keys = join(place.path, 'keys');
  assert.equal((await output(['update', 'keygen', keys])).code, 0);
  const names = await readdir(keys);
  const key = join(keys, names.find((name) => name.endsWith('.key')) ?? '');
  assert.equal((await stat(key)).mode & 0o777, 0o600);
  const control = join(place.path, 'tree', 'DEBIAN');
  await mkdir(control, { recursive: true });
  await writeFile(
    join(control, 'control'),
    'Package: firstlight\nVersion: 0.2.0\nArchitecture: all\nMaintainer: A <a@b.invalid>\nDescription: test\n',
  );
  const deb = join(place.path, 'firstlight_0.2.0_all.deb');
  assert.equal(spawnSync('dpkg-deb', ['--build', join(place.path, 'tree'), deb]).status, 0);
  const file = join(place.path, 'firstlight.update');
  const signed = await output(['update', 'sign', deb, '--key', key, '--output', file]);
  assert.deepEqual([signed.code, /version 0\.2\.0/.test(signed.text)], [0, true], signed.text);
  const unbounded = await output([
    ...['update', 'sign', deb, '--key', key, '--output', file, '--allow-downgrade'],
  ]);
  assert.deepEqual(
    [unbounded.code, /--allow-downgrade and --maximum-version belong together/.test(unbounded.text)],
    [64, true],
  );
  const checked = await output(['update', 'check', file, '--keys', keys]);
  assert.equal(checked.code, 0, checked.text);
  assert.match(checked.text, /version {4}0\.2\.0/);
  const bytes = await readFile(file);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(file, bytes);
  const damaged = await output(['update', 'check', file, '--keys', keys]);
  assert.deepEqual([damaged.code, /Refused: .*changed or damaged/.test(damaged.text)], [1, true]);
  await mkdir(join(place.path, 'none'));
  const unkeyed = await output(['update', 'check', file, '--keys', join(place.path, 'none')]);
  assert.deepEqual([unkeyed.code, /name the directory of your public key/.test(unkeyed.text)], [1, true]);
});
