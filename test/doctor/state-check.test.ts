/** The state directory check: permissions, and a file in its place. */

import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { stateCheck } from '../../src/doctor/state-check.ts';
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
