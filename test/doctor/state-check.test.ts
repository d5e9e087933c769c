/** The state directory check: permissions, and a file in its place. */

import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freeSpace, stateCheck } from '../../src/doctor/state-check.ts';
import { tempDir } from '../app/agent-process.ts';

const { signal } = new AbortController();

describe('the state directory check', () => {
  it('fails for a file with the remedy to move it', async () => {
    await using place = await tempDir();
    const file = join(place.path, 'state');
    await writeFile(file, '');
    const result = await stateCheck(file).run(signal);
    assert.deepEqual([result.status, result.observed], ['fail', `${file} is not a directory`]);
    assert.match(result.status === 'fail' ? result.action : '', /^move that file away/);
  });

  it('fails for a directory that other users can read', async () => {
    await using place = await tempDir();
    await chmod(place.path, 0o755);
    const open = await stateCheck(place.path).run(signal);
    assert.match(open.status === 'fail' ? open.action : '', /chmod 700/);
    await chmod(place.path, 0o700);
    assert.doesNotMatch((await stateCheck(place.path).run(signal)).observed, /mode/);
  });

  it('fails for a directory in memory, also before it exists', async () => {
    await using place = await tempDir();
    await chmod(place.path, 0o700);
    const volatileStorage = 'tmpfs at /var/lib';
    for (const path of [place.path, join(place.path, 'absent')]) {
      const result = await stateCheck(path, { volatileStorage }).run(signal);
      assert.deepEqual([result.status, result.observed], ['fail', `${path} is on tmpfs at /var/lib`]);
      assert.match(result.status === 'fail' ? result.action : '', /^move the state directory to a disk/);
    }
    const { status, observed } = await stateCheck(place.path, { volatileStorage, hasFixedToken: true }).run(
      signal,
    );
    assert.equal(status, 'pass');
    assert.match(observed, /loses the queued readings$/);
    await chmod(place.path, 0o755);
    const open = await stateCheck(place.path, { volatileStorage }).run(signal);
    assert.match(open.observed, /mode 755/, 'other faults come first');
  });
});

const FUSE = 0x65735546;
/** Of a virtiofs: its unit of transfer is 256 times its block. */
const SHARED = { bsize: 1_048_576, blocks: 1000, bavail: 300 };

for (const [what, stats, expected] of [
  ['the size of a block', { ...SHARED, frsize: 4096, type: FUSE }, { isFull: true, free: '1229 kB' }],
  ['no size of a block', { ...SHARED, type: FUSE }, { isFull: false, free: '30 %' }],
  ['no free block', { ...SHARED, type: FUSE, bavail: 0 }, { isFull: true, free: '0 %' }],
  ['a usual file system', { ...SHARED, bsize: 4096, bavail: 900 }, { isFull: false, free: '4 MB' }],
] as const) {
  it(`the free space is ${expected.free} with ${what}`, () => {
    assert.deepEqual(freeSpace(stats), expected);
  });
}
