/** The files of another root: the contract of host files, and that no path leads to a file of this host. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, it } from 'node:test';
import { openDirectoryFiles } from '../../../src/sensors/files/tree-files.ts';
import { FILES, hostFilesContract, LINKS } from '../../contracts/host-files.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'firstlight-root-')));
after(() => rmSync(base, { recursive: true, force: true }));
const root = join(base, 'root');
for (const [path, text] of Object.entries(FILES)) {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
mkdirSync(join(root, 'sys/class/net'), { recursive: true });
for (const [path, target] of Object.entries(LINKS)) symlinkSync(target, join(root, path));

hostFilesContract('the files of another root', () => openDirectoryFiles(root), { hasUsage: false });

it('a link, absolute or upwards, never leads out of the root', async () => {
  writeFileSync(join(base, 'secret'), 'of this host\n');
  mkdirSync(join(root, 'etc'));
  symlinkSync(join(base, 'secret'), join(root, 'etc/absolute'));
  symlinkSync('../../../secret', join(root, 'etc/upwards'));
  symlinkSync('/proc', join(root, 'etc/kernel'));
  const files = openDirectoryFiles(root);
  for (const path of ['etc/absolute', 'etc/upwards', '../secret']) {
    assert.equal(files.has(path), false, path);
    assert.throws(() => files.read(path), { code: 'ENOENT' });
    await assert.rejects(files.readBlocking(path), { code: 'ENOENT' });
    await assert.rejects(files.firstLine(path), { code: 'ENOENT' });
  }
  assert.deepEqual(
    [...files.list('etc/kernel')].toSorted(),
    ['empty', 'endless', 'long'],
    '/proc of the root',
  );
  assert.equal(files.read('etc/kernel/../sys/class/net/eth0/flags'), '0x1003\n');
});

it('/proc/self of a live root is its first process, not the one that reads', () => {
  mkdirSync(join(root, 'proc/1/net'), { recursive: true });
  writeFileSync(join(root, 'proc/1/net/dev'), 'of the root\n');
  mkdirSync(join(root, `proc/${process.pid}/net`), { recursive: true });
  writeFileSync(join(root, `proc/${process.pid}/net/dev`), 'of this process\n');
  symlinkSync(String(process.pid), join(root, 'proc/self'));
  symlinkSync('self/net', join(root, 'proc/net'));
  assert.equal(openDirectoryFiles(root).read('proc/net/dev'), 'of the root\n');
});

it('a device below the root is not opened', { skip: process.getuid?.() !== 0 && 'mknod needs root' }, () => {
  execFileSync('mknod', [join(root, 'device'), 'c', '1', '5']);
  const files = openDirectoryFiles(root);
  assert.equal(files.has('device'), false);
  assert.throws(() => files.read('device'), { code: 'ENOENT' });
});
