/** What every `Tree` promises, run on the real one over a directory and on its double in memory. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Tree } from '../../src/sensors/files/host-files.ts';

/** What the tree must hold when the suite runs; a `link` is made as it is written. */
export const FILES: Readonly<Record<string, string>> = {
  'sys/devices/pci/net/eth0/flags': '0x1003\n',
  'sys/devices/pci/net/eth0/odd': 'without a newline',
  'proc/long': `${'x'.repeat(1000)}\n`.repeat(70),
  'proc/endless': '7'.repeat(70_000),
  'proc/empty': '',
};
export const LINKS: Readonly<Record<string, string>> = {
  'sys/class/net/eth0': '../../devices/pci/net/eth0',
  'sys/class/net/gone0': '../../devices/nowhere',
  'sys/class/net/circle0': 'circle0',
};

export function treeContract(name: string, open: () => Tree): void {
  const claim = (text: string, test: (tree: Tree) => void | Promise<void>) =>
    it(`${name}: ${text}`, () => test(open()));

  claim('a file is read as it is, by way of links', (tree) => {
    assert.equal(tree.read('sys/class/net/eth0/flags'), '0x1003\n');
    assert.equal(tree.read('sys/class/net/eth0/../eth0/odd'), 'without a newline');
    assert.equal(tree.read('proc/empty'), '');
  });

  claim('a file beyond the limit is cut at its last whole line', (tree) => {
    assert.equal(tree.read('proc/long').length, 65 * 1001);
    assert.equal(tree.read('proc/long', 2002), `${'x'.repeat(1000)}\n`.repeat(2));
    assert.equal(tree.read('proc/long', 2001), `${'x'.repeat(1000)}\n`);
    assert.equal(tree.read('proc/endless'), '');
  });

  claim('a slow file is read as it is, up to 512 bytes', async (tree) => {
    assert.equal(await tree.readSlowly('sys/class/net/eth0/flags'), '0x1003\n');
    assert.equal(await tree.readSlowly('proc/empty'), '');
    assert.equal(await tree.readSlowly('proc/long'), 'x'.repeat(512));
    await assert.rejects(tree.readSlowly('proc/nothing'), { code: 'ENOENT' });
    await assert.rejects(tree.readSlowly('proc'), { code: 'EISDIR', message: /proc/ });
  });

  claim('an own file is read up to the end of its first line', async (tree) => {
    assert.equal(await tree.line('sys/class/net/eth0/flags'), '0x1003');
    assert.equal(await tree.line('proc/empty'), '');
    await assert.rejects(tree.line('proc/nothing'), { code: 'ENOENT' });
  });

  claim('what is not there is an error that says which', (tree) => {
    assert.throws(() => tree.read('proc/nothing'), { code: 'ENOENT' });
    assert.throws(() => tree.read('sys/class/net/gone0/flags'), { code: 'ENOENT' });
    assert.throws(() => tree.read('sys/class/net/circle0'), { code: 'ELOOP' });
    assert.throws(() => tree.read('proc'), { code: 'EISDIR' });
    assert.throws(() => tree.read('proc/empty/below'), { code: 'ENOTDIR' });
    assert.throws(() => tree.list('proc/nothing'), { code: 'ENOENT' });
    assert.throws(() => tree.list('proc/empty'), { code: 'ENOTDIR' });
    assert.throws(() => tree.link('proc/empty'), { code: 'EINVAL' });
  });

  claim('has() is true for what can be reached, and link() says what is written there', (tree) => {
    assert.equal(tree.has('sys/class/net/eth0/flags'), true);
    assert.equal(tree.has('sys/class/net'), true);
    assert.equal(tree.has('sys/class/net/gone0'), false);
    assert.equal(tree.link('sys/class/net/eth0'), '../../devices/pci/net/eth0');
    assert.equal(tree.link('sys/class/net/gone0'), '../../devices/nowhere');
  });

  claim('a directory lists its names, links that lead nowhere included', (tree) => {
    assert.deepEqual([...tree.list('sys/class/net')].toSorted(), ['circle0', 'eth0', 'gone0']);
    assert.deepEqual([...tree.list('sys/class/net/eth0')].toSorted(), ['flags', 'odd']);
  });

  claim('the file system has a size', async (tree) => {
    const { bsize, blocks, bfree, bavail } = await tree.use('/');
    assert.ok(bsize > 0 && blocks >= bfree && bfree >= bavail);
  });
}
