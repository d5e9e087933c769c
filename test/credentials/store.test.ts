/** The store on a disk keeps the contract, and its files are always private. */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Secret } from '../../src/core/model/secret.ts';
import { credentialStoreContract } from '../contracts/credential-store.ts';
import { revealSecrets } from '../doubles/reveal-secrets.ts';
import { BACKUP, MAIN, ON_DISK, PROVISIONED, StoreFixture } from './store-fixture.ts';

credentialStoreContract('ConfCredentialStore', () => new StoreFixture());

/** Runs `action` with this umask. */
async function withUmask(umask: number, action: () => Promise<void>): Promise<void> {
  const before = process.umask(umask);
  try {
    await action();
  } finally {
    process.umask(before);
  }
}

describe('the credential files', () => {
  it('are 0600 in a 0700 directory, even with umask 0', async () => {
    using fixture = new StoreFixture();
    await withUmask(0o000, () => fixture.open().write(PROVISIONED));
    assert.equal(fixture.mode(), '700');
    for (const name of fixture.names) assert.equal(fixture.mode(name), '600', name);
  });

  it('never have another mode, nor do their temporary files', async () => {
    using fixture = new StoreFixture();
    mkdirSync(fixture.directory, { mode: 0o700 });
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const workerData = { directory: fixture.directory, stop };
    const watcher = new Worker(new URL('./mode-watcher.js', import.meta.url), { workerData });
    const modes = new Promise<Record<string, string[]>>((resolve) => watcher.once('message', resolve));
    await new Promise((resolve) => watcher.once('online', resolve));
    const store = fixture.open();
    await withUmask(0o000, async () => {
      for (let sinceMs = 0; sinceMs < 100; sinceMs += 1) await store.write({ ...PROVISIONED, sinceMs });
    });
    Atomics.store(stop, 0, 1);
    assert.deepEqual(Object.keys(await modes), ['600']);
  });

  it('become private if others could read them, and so does the directory', async () => {
    using fixture = new StoreFixture();
    fixture.put(MAIN, JSON.stringify(ON_DISK), 0o644);
    chmodSync(fixture.directory, 0o755);
    assert.deepEqual(revealSecrets(await fixture.open().read()), revealSecrets(PROVISIONED));
    assert.equal(fixture.mode(), '700');
    assert.equal(fixture.mode(MAIN), '600');
  });

  it('are only the record and its backup after many writes', async () => {
    using fixture = new StoreFixture();
    const store = fixture.open();
    for (let sinceMs = 0; sinceMs < 20; sinceMs += 1) await store.write({ ...PROVISIONED, sinceMs });
    assert.deepEqual(fixture.names, [BACKUP, MAIN]);
  });

  it('contain version 1 in JSON', async () => {
    using fixture = new StoreFixture();
    await fixture.open().write(PROVISIONED);
    for (const name of [MAIN, BACKUP]) assert.deepEqual(JSON.parse(fixture.bytes(name)), ON_DISK, name);
  });

  it('are private if the directory is deleted while the agent runs', async () => {
    using fixture = new StoreFixture();
    const store = fixture.open();
    await store.write(PROVISIONED);
    rmSync(fixture.directory, { recursive: true });
    await withUmask(0o000, () => store.write(PROVISIONED));
    assert.equal(fixture.mode(), '700');
    assert.deepEqual(revealSecrets(await store.read()), revealSecrets(PROVISIONED));
  });

  it('are created with missing parent directories, which are private as well', async () => {
    using fixture = new StoreFixture();
    using deep = new StoreFixture(join(fixture.parent, 'a', 'b'));
    await withUmask(0o000, () => deep.open().write(PROVISIONED));
    assert.deepEqual(deep.names, [BACKUP, MAIN]);
    assert.equal(deep.mode('..'), '700');
    assert.equal(deep.mode('../..'), '700');
  });
});

it('a token of any characters is stored and read unchanged', async () => {
  for (const token of ['plant/7;%\\?', 'a b\n', 'é', 't'.repeat(256)]) {
    using fixture = new StoreFixture();
    await fixture.open().write({ ...PROVISIONED, token: new Secret(token) });
    assert.equal((await fixture.open().read())?.token?.reveal(), token);
  }
});

it('temporary files of a killed process are deleted at the next start', async () => {
  using fixture = new StoreFixture();
  await fixture.open().write(PROVISIONED);
  const orphans = [`${MAIN}.tmp-1700000000a1b2c3`, `${BACKUP}.tmp-1700000000a1b2c3`];
  for (const orphan of orphans) fixture.put(orphan, JSON.stringify(ON_DISK).slice(0, 90));
  fixture.put('notes.txt', 'of the operator');
  await fixture.open().read();
  assert.deepEqual(fixture.names, [BACKUP, MAIN, 'notes.txt']);
});

describe('a record of another server', () => {
  const ELSEWHERE = 'coap://elsewhere.example.com';

  it('is not used, is archived unchanged, and is logged', async () => {
    using fixture = new StoreFixture();
    await fixture.open().write(PROVISIONED);
    const content = fixture.bytes(MAIN);
    assert.equal(await fixture.open(ELSEWHERE).read(), undefined);
    assert.ok(Object.values(fixture.contents).includes(content));
    assert.equal(fixture.log.logged.at(-1)?.level, 'warn');
    for (const name of fixture.names) assert.equal(fixture.mode(name), '600', name);
  });

  it('is restored when that server is configured again', async () => {
    using fixture = new StoreFixture();
    await fixture.open().write(PROVISIONED);
    const other = fixture.open(ELSEWHERE);
    await other.read();
    await other.write({ ...PROVISIONED, server: ELSEWHERE, token: new Secret('of-the-other') });
    assert.deepEqual(revealSecrets(await fixture.open().read()), revealSecrets(PROVISIONED));
    assert.equal((await fixture.open(ELSEWHERE).read())?.token?.reveal(), 'of-the-other');
  });
});
