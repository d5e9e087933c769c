/** The spool's directory on a real file system: its contract, and who may read what it makes. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { FsSpoolDirectory } from '../../../src/outbox/spool/fs-directory.ts';
import { spoolDirectoryContract } from '../../contracts/spool-directory.ts';
import { PowerCutDirectory } from '../../doubles/power-cut-directory.ts';

const made: string[] = [];
after(() => Promise.all(made.map((path) => rm(path, { recursive: true }))));

async function missingPath(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'firstlight-spool-'));
  made.push(path);
  return join(path, 'state', 'spool');
}

spoolDirectoryContract('a real directory', async () => new FsSpoolDirectory(await missingPath()));
spoolDirectoryContract('one that can lose its power', async () => new PowerCutDirectory());

const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

it('what it makes is nobody else’s from birth, the directories above included', async () => {
  const path = await missingPath();
  const file = await new FsSpoolDirectory(path).create('a');
  assert.equal(await mode(join(path, 'a')), '600');
  assert.deepEqual([await mode(path), await mode(join(path, '..'))], ['700', '700']);
  await file.close();
});

it('directories and links in it are not named', async () => {
  const path = await missingPath();
  await mkdir(join(path, 'b'), { recursive: true });
  await writeFile(join(path, 'a'), 'aaa');
  await symlink(join(path, 'a'), join(path, 'c'));
  assert.deepEqual(await new FsSpoolDirectory(path).list(), [{ name: 'a', bytes: 3 }]);
});

it('a path that is no directory is refused with the system’s own word', async () => {
  const path = await missingPath();
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, 'a file');
  await assert.rejects(new FsSpoolDirectory(path).list(), { code: 'ENOTDIR' });
  await assert.rejects(new FsSpoolDirectory(path).create('a'), { code: 'ENOTDIR' });
});
