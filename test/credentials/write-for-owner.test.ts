/** A state directory of the service's user, and root at work in it: whose the files are, and what planted ones make root do. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { collectTokens } from '../../src/credentials/collect-tokens.ts';
import { inspectRecord } from '../../src/credentials/inspect.ts';
import { revealed } from '../doubles/reveal-secrets.ts';
import { BACKUP, MAIN, ON_DISK, PROVISIONED, StoreFixture, storeErrorOf } from './store-fixture.ts';

const NOBODY = 65_534;
const asRoot = { skip: process.getuid?.() === 0 ? false : 'needs root to give files away' };

/** The service's user has it; what it holds may be root's. */
function fixtureOfNobody(): StoreFixture {
  const fixture = new StoreFixture();
  fixture.put(BACKUP, JSON.stringify(ON_DISK));
  for (const path of [fixture.parent, fixture.directory]) chownSync(path, NOBODY, NOBODY);
  return fixture;
}

describe('what root writes in the directory of the service', () => {
  it('is the service’s own, 0600, and read by it; also over a file that was root’s', asRoot, async () => {
    using fixture = fixtureOfNobody(); // the main file is new, the backup is root's
    await fixture.open().write({ ...PROVISIONED, sinceMs: 9 });
    for (const name of [MAIN, BACKUP]) {
      const { uid, gid } = statSync(join(fixture.directory, name));
      assert.deepEqual([uid, gid, fixture.mode(name)], [NOBODY, NOBODY, '600'], name);
    }
    assert.deepEqual(fixture.names, [BACKUP, MAIN]);
    process.seteuid?.(NOBODY);
    try {
      assert.deepEqual(revealed(await fixture.open().read()), revealed({ ...PROVISIONED, sinceMs: 9 }));
    } finally {
      process.seteuid?.(0);
    }
  });
});

describe('a link in the place of the file', () => {
  function linked(): { readonly fixture: StoreFixture; readonly target: string } {
    const fixture = new StoreFixture();
    fixture.put(BACKUP, JSON.stringify(ON_DISK));
    const target = join(fixture.parent, 'precious');
    writeFileSync(target, JSON.stringify(ON_DISK), { mode: 0o644 });
    symlinkSync(target, join(fixture.directory, MAIN));
    return { fixture, target };
  }

  it('is not looked through, and what it points at stays as it is', async () => {
    const { fixture, target } = linked();
    using _shelf = fixture;
    const { message } = await storeErrorOf(inspectRecord(fixture.directory));
    assert.match(message, /credentials\.json is not a regular file.*move it away/);
    const { unreadable: unseen } = await collectTokens(fixture.directory);
    assert.deepEqual(unseen, [
      `${join(fixture.directory, MAIN)}, which is not a regular file and was not read`,
    ]);
    await fixture.open().read();
    assert.equal(statSync(target).mode & 0o777, 0o644);
  });

  it('is not written through: the write is refused, and says what to do', async () => {
    const { fixture, target } = linked();
    using _shelf = fixture;
    const { message } = await storeErrorOf(fixture.open().write({ ...PROVISIONED, sinceMs: 9 }));
    assert.match(message, /credentials\.json is not a regular file.*move it away/);
    assert.equal(readFileSync(target, 'utf8'), JSON.stringify(ON_DISK));
    assert.ok(lstatSync(join(fixture.directory, MAIN)).isSymbolicLink());
  });
});

it('a FIFO in the place of the file holds nobody up', { timeout: 20_000 }, async () => {
  using fixture = new StoreFixture();
  fixture.put(BACKUP, JSON.stringify(ON_DISK));
  assert.equal(spawnSync('mkfifo', [join(fixture.directory, MAIN)]).status, 0);
  const inspections = [() => inspectRecord(fixture.directory), () => fixture.open().write(PROVISIONED)];
  for (const look of inspections) assert.match((await storeErrorOf(look())).message, /is not a regular file/);
  assert.equal((await collectTokens(fixture.directory)).unreadable.length, 1);
});

it('one damaged file is a remnant where there is no other, and two are damage that says so of both', async () => {
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

it('who only looks leaves a file that others may read as open as it is; the agent closes it', async () => {
  using fixture = new StoreFixture();
  fixture.put(MAIN, JSON.stringify(ON_DISK), 0o644);
  assert.equal((await inspectRecord(fixture.directory)).is, 'good');
  assert.equal(fixture.mode(MAIN), '644');
  await fixture.open().read();
  assert.equal(fixture.mode(MAIN), '600');
});
