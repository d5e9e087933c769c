/** The contract of `HostFiles`, for a real directory and for the double in memory. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { HostFiles } from '../../src/sensors/files/host-files.ts';

/** The files and links that must exist; the target of a link is its literal text. */
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

/** `hasUsage`: whether the files are those of a running host, which knows the use of its file systems. */
export function hostFilesContract(name: string, open: () => HostFiles, { hasUsage = true } = {}): void {
  const check = (text: string, test: (hostFiles: HostFiles) => void | Promise<void>) =>
    it(`${name}: ${text}`, () => test(open()));

  check('reads a file unchanged, through links', (hostFiles) => {
    assert.equal(hostFiles.read('sys/class/net/eth0/flags'), '0x1003\n');
    assert.equal(hostFiles.read('sys/class/net/eth0/../eth0/odd'), 'without a newline');
    assert.equal(hostFiles.read('proc/empty'), '');
  });

  check('cuts a file beyond the limit at its last whole line', (hostFiles) => {
    assert.equal(hostFiles.read('proc/long').length, 65 * 1001);
    assert.equal(hostFiles.read('proc/long', 2002), `${'x'.repeat(1000)}\n`.repeat(2));
    assert.equal(hostFiles.read('proc/long', 2001), `${'x'.repeat(1000)}\n`);
    assert.equal(hostFiles.read('proc/endless'), '');
  });

  check('reads a slow file unchanged, up to 512 bytes', async (hostFiles) => {
    assert.equal(await hostFiles.readBlocking('sys/class/net/eth0/flags'), '0x1003\n');
    assert.equal(await hostFiles.readBlocking('proc/empty'), '');
    assert.equal(await hostFiles.readBlocking('proc/long'), 'x'.repeat(512));
    await assert.rejects(hostFiles.readBlocking('proc/nothing'), { code: 'ENOENT' });
    await assert.rejects(hostFiles.readBlocking('proc'), { code: 'EISDIR', message: /proc/ });
  });

  check('reads the first line of a file of a custom sensor', async (hostFiles) => {
    assert.equal(await hostFiles.firstLine('sys/class/net/eth0/flags'), '0x1003');
    assert.equal(await hostFiles.firstLine('proc/empty'), '');
    await assert.rejects(hostFiles.firstLine('proc/nothing'), { code: 'ENOENT' });
  });

  check('a missing file is an error with its code', (hostFiles) => {
    assert.throws(() => hostFiles.read('proc/nothing'), { code: 'ENOENT' });
    assert.throws(() => hostFiles.read('sys/class/net/gone0/flags'), { code: 'ENOENT' });
    assert.throws(() => hostFiles.read('sys/class/net/circle0'), { code: 'ELOOP' });
    assert.throws(() => hostFiles.read('proc'), { code: 'EISDIR' });
    assert.throws(() => hostFiles.read('proc/empty/below'), { code: 'ENOTDIR' });
    assert.throws(() => hostFiles.list('proc/nothing'), { code: 'ENOENT' });
    assert.throws(() => hostFiles.list('proc/empty'), { code: 'ENOTDIR' });
    assert.throws(() => hostFiles.readLink('proc/empty'), { code: 'EINVAL' });
  });

  check('has() follows links, and readLink() returns the link text', (hostFiles) => {
    assert.equal(hostFiles.has('sys/class/net/eth0/flags'), true);
    assert.equal(hostFiles.has('sys/class/net'), true);
    assert.equal(hostFiles.has('sys/class/net/gone0'), false);
    assert.equal(hostFiles.readLink('sys/class/net/eth0'), '../../devices/pci/net/eth0');
    assert.equal(hostFiles.readLink('sys/class/net/gone0'), '../../devices/nowhere');
  });

  check('lists a directory including dangling links', (hostFiles) => {
    assert.deepEqual([...hostFiles.list('sys/class/net')].toSorted(), ['circle0', 'eth0', 'gone0']);
    assert.deepEqual([...hostFiles.list('sys/class/net/eth0')].toSorted(), ['flags', 'odd']);
  });

  check('returns the size of the file system of a running host', async (hostFiles) => {
    if (!hasUsage) return assert.rejects(async () => hostFiles.usage('/'), { code: 'ENOSYS' });
    const { bsize, blocks, bfree, bavail } = await hostFiles.usage('/');
    assert.ok(bsize > 0 && blocks >= bfree && bfree >= bavail);
  });
}
