/**
 * The real host files and their double keep the same contract, so that the double is a valid damaged host.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, it } from 'node:test';
import { openHostFiles } from '../../../src/sensors/files/host-files.ts';
import { FILES, hostFilesContract, LINKS } from '../../contracts/host-files.ts';
import { type Damage, DamagedHostFiles } from '../../doubles/damaged-host-files.ts';
import { createHungFiles } from '../helpers/hung-files.ts';

/** include/uapi/linux/magic.h */
const [EXT, TMPFS] = [0xef53, 0x01021994];

const root = mkdtempSync(join(tmpdir(), 'firstlight-host-'));
after(() => rmSync(root, { recursive: true, force: true }));
for (const [path, text] of Object.entries(FILES)) {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
mkdirSync(join(root, 'sys/class/net'), { recursive: true });
for (const [path, target] of Object.entries(LINKS)) symlinkSync(target, join(root, path));

hostFilesContract('the real files', () => openHostFiles(root));
hostFilesContract('the double in memory', () => new DamagedHostFiles(root).hostFiles((_, text) => text));

it('the double damages one file, whichever link leads to it', () => {
  const path = 'sys/devices/pci/net/eth0/flags';
  let damage: Damage | undefined = { type: 'error', code: 'EIO' };
  const hostFiles = new DamagedHostFiles(root).hostFiles((_, text) => text, { path, damage: () => damage });
  assert.throws(() => hostFiles.read('sys/class/net/eth0/flags'), { code: 'EIO' });
  assert.equal(hostFiles.has('sys/class/net/eth0/flags'), true);
  assert.equal(hostFiles.read('sys/class/net/eth0/odd'), 'without a newline');
  damage = { type: 'missing' };
  assert.deepEqual(hostFiles.list('sys/class/net/eth0'), ['odd']);
  damage = { type: 'directory' };
  assert.throws(() => hostFiles.read('sys/class/net/eth0/flags'), { code: 'EISDIR' });
  damage = { type: 'text', text: '-1\n' };
  assert.equal(hostFiles.read('sys/class/net/eth0/flags'), '-1\n');
  damage = undefined;
  assert.equal(hostFiles.read('sys/class/net/eth0/flags'), '0x1003\n');
});

it('the usage of a root with counts in memory is read without the pool', {
  timeout: 20_000,
}, async (t) => {
  const { folder, release } = createHungFiles(t, 4);
  if (statfsSync(folder).type !== EXT && statfsSync(folder).type !== TMPFS)
    return t.skip('the temporary directory is on another file system');
  const hostFiles = openHostFiles(folder);
  const before = await hostFiles.usage('/');
  // All threads of the pool, for good.
  const hung = [0, 1, 2, 3].map(async (index) => {
    await using file = await open(join(folder, `hung${index}`));
    await file.read(Buffer.alloc(8));
  });
  while (await resolves(stat(folder)));
  assert.ok(await resolves(Promise.resolve(hostFiles.usage('/'))));
  assert.equal((await hostFiles.usage('/')).blocks, before.blocks);
  release();
  await Promise.all(hung);
});

it('a FIFO in place of a file of the kernel is empty, and the event loop does not wait', () => {
  execFileSync('mkfifo', [join(root, 'proc/fifo')]);
  assert.equal(openHostFiles(root).read('proc/fifo'), '');
});

function resolves(reading: Promise<unknown>): Promise<boolean> {
  const timedOut = new Promise<boolean>((resolve) => setTimeout(resolve, 200, false));
  return Promise.race([reading.then(() => true), timedOut]);
}

it('a file of the running kernel has whole lines only, as one of any other root', () => {
  const files = openHostFiles('/');
  assert.match(files.read('proc/uptime'), /^\d+\.\d+ \d+\.\d+\n$/);
  // Its text ends with a NUL, not with a newline.
  assert.equal(files.read('proc/self/cmdline'), '');
  assert.throws(() => files.read('proc/nothing'), { code: 'ENOENT' });
});
