/** The spool's directory on a real file system: its contract and its permissions. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { FsSpoolDirectory } from '../../../src/outbox/spool/fs-directory.ts';
import { spoolDirectoryContract } from '../../contracts/spool-directory.ts';
import { PowerCutDirectory } from '../../doubles/power-cut/power-cut-directory.ts';

const made: string[] = [];
after(() => Promise.all(made.map((path) => rm(path, { recursive: true }))));

async function missingPath(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'firstlight-spool-'));
  made.push(path);
  return join(path, 'state', 'spool');
}

spoolDirectoryContract('a real directory', async () => new FsSpoolDirectory(await missingPath()));
spoolDirectoryContract('the double that can lose its power', async () => new PowerCutDirectory());

const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

it('files are created with mode 0600, directories and their parents with 0700', async () => {
  const path = await missingPath();
  const file = await new FsSpoolDirectory(path).create('a');
  assert.equal(await mode(join(path, 'a')), '600');
  assert.deepEqual([await mode(path), await mode(join(path, '..'))], ['700', '700']);
  await file.close();
});

it('list leaves out directories and links', async () => {
  const path = await missingPath();
  await mkdir(join(path, 'b'), { recursive: true });
  await writeFile(join(path, 'a'), 'aaa');
  await symlink(join(path, 'a'), join(path, 'c'));
  assert.deepEqual(await new FsSpoolDirectory(path).list(), [{ name: 'a', bytes: 3 }]);
});

it('a path that is no directory fails with the error of the system', async () => {
  const path = await missingPath();
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, 'a file');
  await assert.rejects(new FsSpoolDirectory(path).list(), { code: 'ENOTDIR' });
  await assert.rejects(new FsSpoolDirectory(path).create('a'), { code: 'ENOTDIR' });
});
