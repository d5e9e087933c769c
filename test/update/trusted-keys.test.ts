/** The directory of trusted keys: what is used, and what is not, with its sentence. */

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTrustedKeys } from '../../src/update/trusted-keys.ts';
import { tempDir } from '../app/agent-process.ts';
import { testKey } from './signed-updates.ts';

const owner = process.getuid?.() ?? 0;

test('several keys are trusted, and files of other names are ignored', async () => {
  await using place = await tempDir();
  const [first, second] = [testKey(), testKey()];
  await writeFile(join(place.path, 'a.pem'), first.publicPem, { mode: 0o644 });
  await writeFile(join(place.path, 'b.pem'), second.publicPem, { mode: 0o644 });
  await writeFile(join(place.path, 'README'), 'text');
  const { keys, problems } = readTrustedKeys(place.path, owner);
  assert.deepEqual([...keys.keys()].sort(), [first.id, second.id].sort());
  assert.deepEqual(problems, []);
});

test('a missing directory means no keys and no problem', async () => {
  await using place = await tempDir();
  assert.deepEqual(readTrustedKeys(join(place.path, 'absent'), owner), { keys: new Map(), problems: [] });
});

test('a key that is not safe or not a key is not used and named', async () => {
  await using place = await tempDir();
  const key = testKey();
  const put = (name: string, text: string) => writeFile(join(place.path, name), text, { mode: 0o644 });
  await put('good.pem', key.publicPem);
  await put('private.pem', key.privatePem);
  await put('writable.pem', testKey().publicPem);
  await chmod(join(place.path, 'writable.pem'), 0o666);
  await put('text.pem', 'not a key');
  await put('large.pem', 'x'.repeat(5000));
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  await put('rsa.pem', rsa.export({ format: 'pem', type: 'spki' }).toString());
  await symlink(join(place.path, 'good.pem'), join(place.path, 'link.pem'));
  const { keys, problems } = readTrustedKeys(place.path, owner);
  assert.deepEqual([...keys.keys()], [key.id]);
  const text = problems.join('\n');
  for (const pattern of [
    /private.pem contains a private key/,
    /writable.pem can be written by others/,
    /text.pem is not a public key/,
    /large.pem has more than 4096 bytes/,
    /rsa.pem is not an Ed25519 key/,
    /link.pem is a link/,
  ])
    assert.match(text, pattern);
  assert.equal(problems.length, 6);
});

test('a directory or key of another owner, or writable by others, is not used', async () => {
  await using place = await tempDir();
  await writeFile(join(place.path, 'a.pem'), testKey().publicPem, { mode: 0o644 });
  assert.match(readTrustedKeys(place.path, owner + 1).problems.join(), /belongs to user/);
  await chmod(place.path, 0o777);
  const { keys, problems } = readTrustedKeys(place.path, owner);
  assert.equal(keys.size, 0);
  assert.match(problems.join(), /can be written by others/);
});
