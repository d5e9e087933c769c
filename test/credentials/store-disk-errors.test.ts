/** The store on a disk that is full, read-only or owned by another user. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConf } from '../../src/credentials/write-durably.ts';
import { revealSecrets } from '../doubles/reveal-secrets.ts';
import { BACKUP, MAIN, PROVISIONED, StoreFixture, storeErrorOf, TOKEN } from './store-fixture.ts';

const NOBODY = 65_534;

/** Runs a shell line in a separate mount namespace, whose mounts end with it. */
function inSeparateMount(line: string, ...words: readonly string[]) {
  const own = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  return spawnSync('unshare', [...own, '--mount', 'sh', '-ec', line, 'sh', ...words], { encoding: 'utf8' });
}

const canMount = inSeparateMount('mount -t tmpfs tmpfs /mnt').status === 0;

it('a write to a full disk fails with a remedy and keeps the old record', {
  skip: canMount ? false : 'needs the right to mount a tmpfs',
}, () => {
  const above = mkdtempSync(join(tmpdir(), 'firstlight-full-'));
  const child = join(import.meta.dirname, 'full-disk-child.js');
  const line = 'mount -t tmpfs -o size=64k tmpfs "$1"; "$2" "$3" "$1"';
  const { stdout, stderr } = inSeparateMount(line, above, process.execPath, child);
  rmSync(above, { recursive: true });
  assert.match(stdout, /^{/, stderr);
  const output = JSON.parse(stdout) as { message: string; same: boolean; names: string[]; token: string };
  assert.match(output.message, /the disk is full; free some space/);
  assert.doesNotMatch(output.message, /QZ7/);
  assert.deepEqual(output.names, [BACKUP, MAIN]);
  assert.equal(output.same, true);
  assert.equal(output.token, TOKEN);
});

/** Runs `action` as a user who is not root and owns the state directory. */
async function asNobody<T>(fixture: StoreFixture, action: () => Promise<T>): Promise<T> {
  await loadConf(); // while the files of the library can be read
  if (process.getuid?.() !== 0) return action();
  for (const path of [fixture.parent, fixture.directory]) chownSync(path, NOBODY, NOBODY);
  for (const name of fixture.names) chownSync(join(fixture.directory, name), NOBODY, NOBODY);
  process.seteuid?.(NOBODY);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
  }
}

describe('in a read-only directory the store', () => {
  async function readOnly(...without: readonly string[]): Promise<StoreFixture> {
    const fixture = new StoreFixture();
    await fixture.open().write(PROVISIONED);
    for (const name of without) rmSync(join(fixture.directory, name));
    chmodSync(fixture.directory, 0o500);
    return fixture;
  }

  it('fails to write with a StoreError that names a remedy, and keeps the record', async () => {
    using fixture = await readOnly();
    const before = fixture.contents;
    const error = await asNobody(fixture, () =>
      storeErrorOf(fixture.open().write({ ...PROVISIONED, sinceMs: 9 })),
    );
    assert.ok(error.message.includes(fixture.directory));
    assert.match(error.message, /must belong to the user of the service/);
    assert.deepEqual(fixture.contents, before);
  });

  it('still returns a good record', async () => {
    using fixture = await readOnly(BACKUP); // cannot be written again
    const record = await asNobody(fixture, () => fixture.open().read());
    assert.deepEqual(revealSecrets(record), revealSecrets(PROVISIONED));
    assert.equal(fixture.log.withMessage(/^the agent could not repair the credential files/).length, 1);
  });
});

it('files that are not readable are a StoreError with a remedy, not a first boot', {
  skip: process.getuid?.() === 0 ? false : 'needs root to give the file away',
}, async () => {
  using fixture = new StoreFixture();
  await fixture.open().write(PROVISIONED);
  const error = await asNobody(fixture, () => {
    process.seteuid?.(0);
    for (const name of [MAIN, BACKUP]) chownSync(join(fixture.directory, name), 0, 0);
    process.seteuid?.(NOBODY);
    return storeErrorOf(fixture.open().read());
  });
  assert.match(error.message, /must belong to the user of the service/);
});

it('if one copy cannot be read, the other is used', async () => {
  for (const broken of [MAIN, BACKUP]) {
    using fixture = new StoreFixture();
    await fixture.open().write(PROVISIONED);
    rmSync(join(fixture.directory, broken));
    mkdirSync(join(fixture.directory, broken));
    assert.deepEqual(revealSecrets(await fixture.open().read()), revealSecrets(PROVISIONED), broken);
  }
});
