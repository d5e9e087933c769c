/** The real tree and its double keep the same promises, so that what the double shows of a damaged host is true. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, it } from 'node:test';
import { openTree } from '../../../src/sensors/files/host-files.ts';
import { FILES, LINKS, treeContract } from '../../contracts/host-files.ts';
import { type Damage, HostInMemory } from '../../doubles/in-memory-host.ts';
import { hungFiles } from '../helpers/hung-files.ts';

/** include/uapi/linux/magic.h */
const [EXT, TMPFS] = [0xef53, 0x01021994];

const root = mkdtempSync(join(tmpdir(), 'firstlight-tree-'));
after(() => rmSync(root, { recursive: true, force: true }));
for (const [path, text] of Object.entries(FILES)) {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
mkdirSync(join(root, 'sys/class/net'), { recursive: true });
for (const [path, target] of Object.entries(LINKS)) symlinkSync(target, join(root, path));

treeContract('the real tree', () => openTree(root));
treeContract('the tree in memory', () => new HostInMemory(root).tree((_, text) => text));

it('a damaged file is damaged by whatever link it is reached, and no other is', () => {
  const path = 'sys/devices/pci/net/eth0/flags';
  let damage: Damage | undefined = { is: 'refused', code: 'EIO' };
  const tree = new HostInMemory(root).tree((_, text) => text, { path, damage: () => damage });
  assert.throws(() => tree.read('sys/class/net/eth0/flags'), { code: 'EIO' });
  assert.equal(tree.has('sys/class/net/eth0/flags'), true);
  assert.equal(tree.read('sys/class/net/eth0/odd'), 'without a newline');
  damage = { is: 'gone' };
  assert.deepEqual(tree.list('sys/class/net/eth0'), ['odd']);
  damage = { is: 'directory' };
  assert.throws(() => tree.read('sys/class/net/eth0/flags'), { code: 'EISDIR' });
  damage = { is: 'text', text: '-1\n' };
  assert.equal(tree.read('sys/class/net/eth0/flags'), '-1\n');
  damage = undefined;
  assert.equal(tree.read('sys/class/net/eth0/flags'), '0x1003\n');
});

it('a root that the kernel counts in memory is asked without the pool, once its kind is known', {
  timeout: 20_000,
}, async (t) => {
  const { folder, release } = hungFiles(t, 4);
  if (statfsSync(folder).type !== EXT && statfsSync(folder).type !== TMPFS)
    return t.skip('the temporary directory is on another file system');
  const tree = openTree(folder);
  const before = await tree.use('/');
  // All threads of the pool, for good.
  const hung = [0, 1, 2, 3].map(async (index) => {
    await using file = await open(join(folder, `hung${index}`));
    await file.read(Buffer.alloc(8));
  });
  while (await answers(stat(folder)));
  assert.ok(await answers(tree.use('/')));
  assert.equal((await tree.use('/')).blocks, before.blocks);
  release();
  await Promise.all(hung);
});

function answers(asked: Promise<unknown>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => setTimeout(resolve, 200, false));
  return Promise.race([asked.then(() => true), late]);
}
