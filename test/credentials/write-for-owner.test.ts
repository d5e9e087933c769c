/** A state directory of the service's user, and root at work in it: whose the files are, and what planted ones make root do. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { knownTokens } from '../../src/credentials/collect-tokens.ts';
import { lookAtRecord } from '../../src/credentials/inspect.ts';
import { revealed } from '../doubles/reveal-secrets.ts';
import { BACKUP, MAIN, ON_DISK, PROVISIONED, Shelf, storeErrorOf } from './store-fixture.ts';

const NOBODY = 65_534;
const asRoot = { skip: process.getuid?.() === 0 ? false : 'needs root to give files away' };

/** The service's user has it; what it holds may be root's. */
function shelfOfNobody(): Shelf {
  const shelf = new Shelf();
  shelf.put(BACKUP, JSON.stringify(ON_DISK));
  for (const path of [shelf.above, shelf.directory]) chownSync(path, NOBODY, NOBODY);
  return shelf;
}

describe('what root writes in the directory of the service', () => {
  it('is the service’s own, 0600, and read by it; also over a file that was root’s', asRoot, async () => {
    using shelf = shelfOfNobody(); // the main file is new, the backup is root's
    await shelf.open().write({ ...PROVISIONED, sinceMs: 9 });
    for (const name of [MAIN, BACKUP]) {
      const { uid, gid } = statSync(join(shelf.directory, name));
      assert.deepEqual([uid, gid, shelf.mode(name)], [NOBODY, NOBODY, '600'], name);
    }
    assert.deepEqual(shelf.names, [BACKUP, MAIN]);
    process.seteuid?.(NOBODY);
    try {
      assert.deepEqual(revealed(await shelf.open().read()), revealed({ ...PROVISIONED, sinceMs: 9 }));
    } finally {
      process.seteuid?.(0);
    }
  });
});

describe('a link in the place of the file', () => {
  function linked(): { readonly shelf: Shelf; readonly target: string } {
    const shelf = new Shelf();
    shelf.put(BACKUP, JSON.stringify(ON_DISK));
    const target = join(shelf.above, 'precious');
    writeFileSync(target, JSON.stringify(ON_DISK), { mode: 0o644 });
    symlinkSync(target, join(shelf.directory, MAIN));
    return { shelf, target };
  }

  it('is not looked through, and what it points at stays as it is', async () => {
    const { shelf, target } = linked();
    using _shelf = shelf;
    const { message } = await storeErrorOf(lookAtRecord(shelf.directory));
    assert.match(message, /credentials\.json is no regular file .*move it away/);
    const { unseen } = await knownTokens(shelf.directory);
    assert.deepEqual(unseen, [
      `${join(shelf.directory, MAIN)}, which is a link or the like and no file, and is not followed`,
    ]);
    await shelf.open().read();
    assert.equal(statSync(target).mode & 0o777, 0o644);
  });

  it('is not written through: the write is refused, and says what to do', async () => {
    const { shelf, target } = linked();
    using _shelf = shelf;
    const { message } = await storeErrorOf(shelf.open().write({ ...PROVISIONED, sinceMs: 9 }));
    assert.match(message, /credentials\.json is no regular file .*move it away/);
    assert.equal(readFileSync(target, 'utf8'), JSON.stringify(ON_DISK));
    assert.ok(lstatSync(join(shelf.directory, MAIN)).isSymbolicLink());
  });
});

it('a FIFO in the place of the file holds nobody up', { timeout: 20_000 }, async () => {
  using shelf = new Shelf();
  shelf.put(BACKUP, JSON.stringify(ON_DISK));
  assert.equal(spawnSync('mkfifo', [join(shelf.directory, MAIN)]).status, 0);
  const looks = [() => lookAtRecord(shelf.directory), () => shelf.open().write(PROVISIONED)];
  for (const look of looks) assert.match((await storeErrorOf(look())).message, /is no regular file/);
  assert.equal((await knownTokens(shelf.directory)).unseen.length, 1);
});

it('one damaged file is a remnant where there is no other, and two are damage that says so of both', async () => {
  using shelf = new Shelf();
  shelf.put(MAIN, '{"torn');
  assert.equal((await lookAtRecord(shelf.directory)).is, 'remnant');
  shelf.put(BACKUP, '');
  const looked = await lookAtRecord(shelf.directory);
  assert.ok(looked.is === 'damaged');
  assert.match(
    looked.problem,
    /credentials\.json is torn.*, and the file .*credentials\.backup\.json is empty/,
  );
  const { code } = await storeErrorOf(shelf.open().read());
  assert.equal(code, 'CREDENTIALS_DAMAGED');
  shelf.put(BACKUP, JSON.stringify({ ...ON_DISK, version: 99 }));
  assert.equal((await lookAtRecord(shelf.directory)).is, 'newer');
});

it('who only looks leaves a file that others may read as open as it is; the agent closes it', async () => {
  using shelf = new Shelf();
  shelf.put(MAIN, JSON.stringify(ON_DISK), 0o644);
  assert.equal((await lookAtRecord(shelf.directory)).is, 'good');
  assert.equal(shelf.mode(MAIN), '644');
  await shelf.open().read();
  assert.equal(shelf.mode(MAIN), '600');
});
