/** Root in a state directory of the service's user: the owner of its files, and planted links and FIFOs. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { collectTokens } from '../../src/credentials/collect-tokens.ts';
import { inspectRecord } from '../../src/credentials/inspect.ts';
import { revealSecrets } from '../doubles/reveal-secrets.ts';
import { BACKUP, MAIN, ON_DISK, PROVISIONED, StoreFixture, storeErrorOf } from './store-fixture.ts';

const NOBODY = 65_534;
const asRoot = { skip: process.getuid?.() === 0 ? false : 'needs root to give files away' };

/** The directory belongs to the service's user, the backup to root. */
function fixtureOfNobody(): StoreFixture {
  const fixture = new StoreFixture();
  fixture.put(BACKUP, JSON.stringify(ON_DISK));
  for (const path of [fixture.parent, fixture.directory]) chownSync(path, NOBODY, NOBODY);
  return fixture;
}

describe('a file that root writes in the directory of the service', () => {
  it('belongs to the service with mode 0600, even if it belonged to root before', asRoot, async () => {
    using fixture = fixtureOfNobody(); // the main file is new, the backup is root's
    await fixture.open().write({ ...PROVISIONED, sinceMs: 9 });
    for (const name of [MAIN, BACKUP]) {
      const { uid, gid } = statSync(join(fixture.directory, name));
      assert.deepEqual([uid, gid, fixture.mode(name)], [NOBODY, NOBODY, '600'], name);
    }
    assert.deepEqual(fixture.names, [BACKUP, MAIN]);
    process.seteuid?.(NOBODY);
    try {
      assert.deepEqual(
        revealSecrets(await fixture.open().read()),
        revealSecrets({ ...PROVISIONED, sinceMs: 9 }),
      );
    } finally {
      process.seteuid?.(0);
    }
  });
});

describe('a link with the name of the file', () => {
  function linked(): { readonly fixture: StoreFixture; readonly target: string } {
    const fixture = new StoreFixture();
    fixture.put(BACKUP, JSON.stringify(ON_DISK));
    const target = join(fixture.parent, 'precious');
    writeFileSync(target, JSON.stringify(ON_DISK), { mode: 0o644 });
    symlinkSync(target, join(fixture.directory, MAIN));
    return { fixture, target };
  }

  it('is not followed when reading, and its target stays unchanged', async () => {
    const { fixture, target } = linked();
    using _ = fixture;
    const { message } = await storeErrorOf(inspectRecord(fixture.directory));
    assert.match(message, /credentials\.json is not a regular file.*move it away/);
    const { unreadable } = await collectTokens(fixture.directory);
    assert.deepEqual(unreadable, [
      `${join(fixture.directory, MAIN)}, which is not a regular file and was not read`,
    ]);
    await fixture.open().read();
    assert.equal(statSync(target).mode & 0o777, 0o644);
  });

  it('is not followed when writing: the write fails with a remedy', async () => {
    const { fixture, target } = linked();
    using _ = fixture;
    const { message } = await storeErrorOf(fixture.open().write({ ...PROVISIONED, sinceMs: 9 }));
    assert.match(message, /credentials\.json is not a regular file.*move it away/);
    assert.equal(readFileSync(target, 'utf8'), JSON.stringify(ON_DISK));
    assert.ok(lstatSync(join(fixture.directory, MAIN)).isSymbolicLink());
  });
});

it('a FIFO with the name of the file does not block', { timeout: 20_000 }, async () => {
  using fixture = new StoreFixture();
  fixture.put(BACKUP, JSON.stringify(ON_DISK));
  assert.equal(spawnSync('mkfifo', [join(fixture.directory, MAIN)]).status, 0);
  const inspections = [() => inspectRecord(fixture.directory), () => fixture.open().write(PROVISIONED)];
  for (const inspect of inspections)
    assert.match((await storeErrorOf(inspect())).message, /is not a regular file/);
  assert.equal((await collectTokens(fixture.directory)).unreadable.length, 1);
});

it('one damaged file alone is partial, and two are damaged with both named', async () => {
  using fixture = new StoreFixture();
  fixture.put(MAIN, '{"torn');
  assert.equal((await inspectRecord(fixture.directory)).is, 'partial');
  fixture.put(BACKUP, '');
  const inspection = await inspectRecord(fixture.directory);
  assert.ok(inspection.is === 'damaged');
  assert.match(
    inspection.problem,
    /credentials\.json is truncated.*, and the file .*credentials\.backup\.json is empty/,
  );
  const { code } = await storeErrorOf(fixture.open().read());
  assert.equal(code, 'CREDENTIALS_DAMAGED');
  fixture.put(BACKUP, JSON.stringify({ ...ON_DISK, version: 99 }));
  assert.equal((await inspectRecord(fixture.directory)).is, 'newer');
});

it('inspecting leaves the mode of a file unchanged, and the agent makes it private', async () => {
  using fixture = new StoreFixture();
  fixture.put(MAIN, JSON.stringify(ON_DISK), 0o644);
  assert.equal((await inspectRecord(fixture.directory)).is, 'good');
  assert.equal(fixture.mode(MAIN), '644');
  await fixture.open().read();
  assert.equal(fixture.mode(MAIN), '600');
});
