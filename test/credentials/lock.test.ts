/** The lock of a state directory: one holder, released when its process ends, the same for every path. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { AlreadyRunningError, acquireLock } from '../../src/credentials/lock.ts';
import { StoreError } from '../../src/credentials/store-error.ts';
import { base, Child, testRace } from './lock-harness.ts';

after(() => rm(base, { recursive: true, force: true }));

/** The lock name, which must stay the same in all versions. */
async function lockNameOf(state: string): Promise<string> {
  const { dev, ino } = await stat(state, { bigint: true });
  return `firstlight-${createHash('sha384').update(`state directory ${dev}:${ino}`).digest('hex')}`;
}

describe('the lock', () => {
  testRace(4);

  it('has one holder and is free after it is released', async () => {
    const state = join(base, 'one');
    const lock = await acquireLock(state);
    await assert.rejects(acquireLock(state), AlreadyRunningError);
    await lock[Symbol.asyncDispose]();
    await using _ = await acquireLock(state);
  });

  it('can be released twice', async () => {
    const lock = await acquireLock(join(base, 'twice'));
    await lock[Symbol.asyncDispose]();
    await lock[Symbol.asyncDispose]();
  });

  it('fails with a remedy if another process holds it', async () => {
    const state = join(base, 'other');
    await using holder = new Child(state);
    assert.equal(await holder.take(), 'held');
    await assert.rejects(acquireLock(state), (error) => {
      assert.ok(error instanceof AlreadyRunningError && error.code === 'ALREADY_RUNNING');
      assert.ok(error.message.startsWith(`another agent is already running on ${state}: stop it, or choose`));
      assert.match(error.message, /--state .*another program .*ss -xlp \| grep @firstlight-[0-9a-f]{12}"/);
      return true;
    });
  });

  it('is free at once after a kill -9 of its holder', async () => {
    const state = join(base, 'killed');
    for (let round = 0; round < 5; round++) {
      const holder = new Child(state);
      assert.equal(await holder.take(), 'held');
      await holder[Symbol.asyncDispose]();
      const lock = await acquireLock(state);
      await lock[Symbol.asyncDispose]();
    }
  });

  it('is not inherited by a child that outlives the holder', async () => {
    const state = join(base, 'orphan');
    const holder = new Child(state, 'parent');
    const pid = Number(await holder.take());
    assert.ok(pid > 1);
    try {
      assert.equal(await holder.line(), 'held');
      await holder[Symbol.asyncDispose]();
      process.kill(pid, 0);
      await using _ = await acquireLock(state);
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });

  it('does not keep a process alive', async () => {
    await using child = new Child(join(base, 'idle'), 'idle');
    assert.equal(await child.line(), 'held');
    assert.equal(await child.exit(), 0);
  });

  it('is the same for all paths to one directory, and another for another directory', async () => {
    const [state, alias] = [join(base, 'real'), join(base, 'alias')];
    await using _ = await acquireLock(state);
    await symlink(state, alias);
    await assert.rejects(acquireLock(alias), AlreadyRunningError);
    await assert.rejects(acquireLock(join(state, '..', 'real', '.')), AlreadyRunningError);
    await using _other = await acquireLock(join(base, 'unreal'));
  });

  it('leaves no file in the directory and creates a missing one private', async () => {
    const state = join(base, 'made', 'here');
    const lock = await acquireLock(state);
    assert.deepEqual(await readdir(state), []);
    assert.equal((await stat(state)).mode & 0o777, 0o700);
    await lock[Symbol.asyncDispose]();
    assert.deepEqual(await readdir(state), []);
  });

  it('has a name of the full 108 bytes, which every Node version treats alike', async () => {
    const state = join(base, 'named');
    await using _ = await acquireLock(state);
    const name = await lockNameOf(state);
    assert.equal(Buffer.byteLength(`\0${name}`), 108);
    assert.match(await readFile('/proc/net/unix', 'utf8'), new RegExp(`@${name}$`, 'm'));
  });

  it('closes incoming connections and stays held', async () => {
    const state = join(base, 'called');
    await using _ = await acquireLock(state);
    for (let call = 0; call < 10; call++) {
      const caller = connect(`\0${await lockNameOf(state)}`);
      const received: Buffer[] = [];
      caller.on('error', () => {}); // the lock may close the connection while this writes
      caller.on('data', (data) => received.push(data));
      caller.write('hello');
      await new Promise<void>((resolve) => caller.once('close', () => resolve()));
      assert.deepEqual(received, []);
    }
    await assert.rejects(acquireLock(state), AlreadyRunningError);
  });

  it('fails with a hint if another program has taken its name', async () => {
    const state = join(base, 'squatted');
    await mkdir(state);
    const squatter = createServer().listen(`\0${await lockNameOf(state)}`);
    await once(squatter, 'listening');
    await assert.rejects(acquireLock(state), /if no agent is running, another program holds the lock/);
    squatter.close();
  });

  it('fails with a StoreError that names a path that is not a directory', async () => {
    const file = join(base, 'file');
    await writeFile(file, '');
    for (const state of [file, join(file, 'below')]) {
      await assert.rejects(
        acquireLock(state),
        (error) => error instanceof StoreError && error.message.includes(state),
      );
    }
  });
});
