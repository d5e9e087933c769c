/**
 * The store on a disk keeps the contract, and its files are private from birth and alone in their directory.
 */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Secret } from '../../src/core/model/secret.ts';
import { credentialStoreContract } from '../contracts/credential-store.ts';
import { revealSecrets } from '../doubles/reveal-secrets.ts';
import { BACKUP, MAIN, ON_DISK, PROVISIONED, StoreFixture } from './store-fixture.ts';

credentialStoreContract('the store on a disk', () => new StoreFixture());

/** Does it under this umask. */
async function under(umask: number, action: () => Promise<void>): Promise<void> {
  const before = process.umask(umask);
  try {
    await action();
  } finally {
    process.umask(before);
  }
}

describe('the files of the store', () => {
  it('are 0600 in a 0700 directory, even for a process whose umask hides nothing', async () => {
    using fixture = new StoreFixture();
    await under(0o000, () => fixture.open().write(PROVISIONED));
    assert.equal(fixture.mode(), '700');
    for (const name of fixture.names) assert.equal(fixture.mode(name), '600', name);
  });

  it('are never seen in another mode, not even the temporary ones while they are written', async () => {
    using fixture = new StoreFixture();
    mkdirSync(fixture.directory, { mode: 0o700 });
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const workerData = { directory: fixture.directory, stop };
    const watcher = new Worker(new URL('./mode-watcher.js', import.meta.url), { workerData });
    const seen = new Promise<Record<string, string[]>>((resolve) => watcher.once('message', resolve));
    await new Promise((resolve) => watcher.once('online', resolve));
    const store = fixture.open();
    await under(0o000, async () => {
      for (let sinceMs = 0; sinceMs < 100; sinceMs += 1) await store.write({ ...PROVISIONED, sinceMs });
    });
    Atomics.store(stop, 0, 1);
    assert.deepEqual(Object.keys(await seen), ['600']);
  });

  it('are closed to others when they were found open, and so is the directory', async () => {
    using fixture = new StoreFixture();
    fixture.put(MAIN, JSON.stringify(ON_DISK), 0o644);
    chmodSync(fixture.directory, 0o755);
    assert.deepEqual(revealSecrets(await fixture.open().read()), revealSecrets(PROVISIONED));
    assert.equal(fixture.mode(), '700');
    assert.equal(fixture.mode(MAIN), '600');
  });

  it('are the record and its backup and nothing else, after many writes', async () => {
    using fixture = new StoreFixture();
    const store = fixture.open();
    for (let sinceMs = 0; sinceMs < 20; sinceMs += 1) await store.write({ ...PROVISIONED, sinceMs });
    assert.deepEqual(fixture.names, [BACKUP, MAIN]);
  });

  it('hold what an operator can read: version 1, in JSON', async () => {
    using fixture = new StoreFixture();
    await fixture.open().write(PROVISIONED);
    for (const name of [MAIN, BACKUP]) assert.deepEqual(JSON.parse(fixture.bytes(name)), ON_DISK, name);
  });

  it('are private again when the directory vanished while the agent ran', async () => {
    using fixture = new StoreFixture();
    const store = fixture.open();
    await store.write(PROVISIONED);
    rmSync(fixture.directory, { recursive: true });
    await under(0o000, () => store.write(PROVISIONED));
    assert.equal(fixture.mode(), '700');
    assert.deepEqual(revealSecrets(await store.read()), revealSecrets(PROVISIONED));
  });

  it('are made under parents that are missing, which are private from birth as well', async () => {
    using fixture = new StoreFixture();
    using deep = new StoreFixture(join(fixture.parent, 'a', 'b'));
    await under(0o000, () => deep.open().write(PROVISIONED));
    assert.deepEqual(deep.names, [BACKUP, MAIN]);
    assert.equal(deep.mode('..'), '700');
    assert.equal(deep.mode('../..'), '700');
  });
});

it('an orphan of a process killed while writing, with the token in it, is swept at the next start', async () => {
  using fixture = new StoreFixture();
  await fixture.open().write(PROVISIONED);
  const orphans = [`${MAIN}.tmp-1700000000a1b2c3`, `${BACKUP}.tmp-1700000000a1b2c3`];
  for (const orphan of orphans) fixture.put(orphan, JSON.stringify(ON_DISK).slice(0, 90));
  fixture.put('notes.txt', 'of the operator');
  await fixture.open().read();
  assert.deepEqual(fixture.names, [BACKUP, MAIN, 'notes.txt']);
});

describe('the record of another server', () => {
  const ELSEWHERE = 'coap://elsewhere.example.com';

  it('is not used, is told, and is kept to the last byte', async () => {
    using fixture = new StoreFixture();
    await fixture.open().write(PROVISIONED);
    const content = fixture.bytes(MAIN);
    assert.equal(await fixture.open(ELSEWHERE).read(), undefined);
    assert.ok(Object.values(fixture.contents).includes(content));
    assert.equal(fixture.log.logged.at(-1)?.level, 'warn');
    for (const name of fixture.names) assert.equal(fixture.mode(name), '600', name);
  });

  it('is found again when that server is configured again', async () => {
    using fixture = new StoreFixture();
    await fixture.open().write(PROVISIONED);
    const there = fixture.open(ELSEWHERE);
    await there.read();
    await there.write({ ...PROVISIONED, server: ELSEWHERE, token: new Secret('of-the-other') });
    assert.deepEqual(revealSecrets(await fixture.open().read()), revealSecrets(PROVISIONED));
    assert.equal((await fixture.open(ELSEWHERE).read())?.token?.reveal(), 'of-the-other');
  });
});
