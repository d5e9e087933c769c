/** The request of the agent, and what another program can put in its place. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { REQUEST_FILE, requestId, takeRequest, writeRequest } from '../../src/update/request-file.ts';
import { tempDir } from '../app/agent-process.ts';

test('a request is taken once, with its id', async () => {
  await using place = await tempDir();
  const id = requestId('b0a7-1d', 12_345.6);
  writeRequest(place.path, id);
  assert.deepEqual(takeRequest(place.path), { id });
  assert.equal(takeRequest(place.path), undefined);
});

test('a link, a directory and a long text are removed, and are no id', async () => {
  await using place = await tempDir();
  const file = join(place.path, REQUEST_FILE);
  const secret = join(place.path, 'secret');
  await writeFile(secret, 'secret');
  await symlink(secret, file);
  assert.deepEqual(takeRequest(place.path), { id: undefined });
  assert.equal(await readFile(secret, 'utf8'), 'secret');
  await mkdir(file);
  assert.deepEqual(takeRequest(place.path), { id: undefined });
  await writeFile(file, 'x'.repeat(1_000));
  assert.deepEqual(takeRequest(place.path), { id: undefined });
  assert.ok(!existsSync(file));
});

test('a directory that is not empty is left alone, because its path is not safe', async () => {
  await using place = await tempDir();
  const inside = join(place.path, REQUEST_FILE, 'file');
  await mkdir(join(place.path, REQUEST_FILE));
  await writeFile(inside, '');
  assert.throws(() => takeRequest(place.path), { code: 'ENOTEMPTY' });
  assert.ok(existsSync(inside));
});
