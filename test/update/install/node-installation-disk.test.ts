/** The disk of root's part: files that another user has prepared, and files that are whole or not there. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { NodeInstallationDisk, readSmallText } from '../../../src/update/install/node-installation-disk.ts';
import { tempDir } from '../../app/agent-process.ts';

const disk = new NodeInstallationDisk();
const codeOf = (open: () => unknown): unknown => {
  try {
    open();
    return 'opened';
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
};

test('a link, a FIFO and a directory in place of the update are not read', { timeout: 10_000 }, async () => {
  await using place = await tempDir();
  const at = (name: string) => join(place.path, name);
  await writeFile(at('secret'), 'secret');
  await symlink(at('secret'), at('link'));
  await mkdir(at('directory'));
  assert.equal(spawnSync('mkfifo', [at('fifo')]).status, 0);
  assert.equal(
    codeOf(() => disk.open(at('link'))),
    'ELOOP',
  );
  for (const name of ['directory', 'fifo'])
    assert.equal(
      codeOf(() => disk.open(at(name))),
      'EINVAL',
      name,
    );
  for (const name of ['link', 'directory', 'fifo']) {
    assert.equal(disk.size(at(name)), undefined, name);
    assert.equal(readSmallText(at(name), 1000), undefined, name);
  }
});

test('a file beneath a directory of another user is opened without a link and with one name', async () => {
  await using place = await tempDir();
  const at = (...names: string[]) => join(place.path, ...names);
  await mkdir(at('state', 'update'), { recursive: true });
  await mkdir(at('root'));
  await writeFile(at('root', 'package'), 'secret');
  await writeFile(at('state', 'update', 'package'), 'update');
  // systemd makes such a link for the state directory.
  await symlink('state', at('service'));
  const read = () => {
    using source = disk.openBeneath(at('service'), 'update/package');
    return source.read(0, source.bytes).toString();
  };
  assert.equal(read(), 'update');
  await rename(at('state', 'update'), at('state', 'before'));
  await symlink(at('root'), at('state', 'update'));
  assert.equal(codeOf(read), 'ENOTDIR');
  await rm(at('state', 'update'));
  await mkdir(at('state', 'update'));
  await link(at('root', 'package'), at('state', 'update', 'package'));
  assert.equal(codeOf(read), 'EMLINK');
  await rm(at('state', 'update', 'package'));
  await symlink(at('root', 'package'), at('state', 'update', 'package'));
  assert.equal(codeOf(read), 'ELOOP');
});

test('a file that becomes shorter while it is read is an error with a code', async () => {
  await using place = await tempDir();
  const file = join(place.path, 'update');
  await writeFile(file, Buffer.alloc(1000));
  using source = disk.open(file);
  await truncate(file, 10);
  assert.equal(
    codeOf(() => source.read(0, 1000)),
    'ESTALE',
  );
});

test('a file that cannot be completed leaves the old one', async () => {
  await using place = await tempDir();
  const file = join(place.path, 'update');
  await disk.create(file, async (write) => write(Buffer.from('old')));
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const failing = disk.create(file, async (write) => {
    write(Buffer.from('half of the new'));
    throw new Error('the source failed');
  });
  await assert.rejects(failing, /the source failed/);
  assert.equal(await readFile(file, 'utf8'), 'old');
});

test('a text is replaced whole, with its mode whatever the umask is', async () => {
  await using place = await tempDir();
  const file = join(place.path, 'result.json');
  const before = process.umask(0o077);
  try {
    disk.replaceText(file, 'first, longer', 0o644);
    disk.replaceText(file, 'second', 0o644);
  } finally {
    process.umask(before);
  }
  assert.equal((await stat(file)).mode & 0o777, 0o644);
  assert.equal(readSmallText(file, 100), 'second');
  assert.equal(readSmallText(file, 3), undefined, 'a larger file is not read');
  assert.deepEqual(await readdir(place.path), ['result.json']);
  disk.remove(file);
  disk.remove(file);
  assert.equal(disk.size(file), undefined);
});
