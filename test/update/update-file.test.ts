/** The update file: valid ones, and every hostile one is refused with its sentence. */

import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { readSigningKey, signUpdate } from '../../src/update/sign-update.ts';
import { extractPart, verifyUpdate } from '../../src/update/update-file.ts';
import { BufferSource, type UpdateSource } from '../../src/update/update-source.ts';
import { manifestOf, packageFile, testKey, updateOf, updateWith } from './signed-updates.ts';

const key = testKey();
const other = testKey();

async function problemOf(file: Buffer | UpdateSource, trusted = key.trusted): Promise<string> {
  const source = Buffer.isBuffer(file) ? new BufferSource(file) : file;
  const verified = await verifyUpdate(source, trusted);
  return verified.ok ? 'none' : verified.problem;
}

test('a signed update is verified and its package extracted unchanged', async () => {
  const content = Buffer.alloc(200_000, 'content');
  const built = signUpdate(
    [packageFile('0.2.0', content)],
    { minimumVersion: '0.1.0', allowDowngrade: false },
    [other.key, key.key],
  );
  assert.ok(built.ok);
  const source = new BufferSource(built.value);
  const verified = await verifyUpdate(source, key.trusted);
  assert.ok(verified.ok);
  assert.deepEqual(verified.value.keyIds, [key.id]);
  assert.equal(verified.value.manifest.minimumVersion, '0.1.0');
  const extracted: Buffer[] = [];
  const [part] = verified.value.manifest.parts;
  assert.ok(part);
  assert.equal(await extractPart(source, verified.value, part, (bytes) => extracted.push(bytes)), undefined);
  assert.ok(Buffer.concat(extracted).equals(content));
});

test('an update of another key is refused', async () => {
  assert.match(
    await problemOf(updateOf('0.2.0', other.key)),
    /no key of this gateway signed the update, only/,
  );
  assert.match(await problemOf(updateOf('0.2.0', key.key), new Map()), /no key of this gateway/);
});

test('a signature with the id of a trusted key by another key is refused', async () => {
  const forged = updateOf('0.2.0', other.key).toString('latin1').replace(other.id, key.id);
  assert.match(await problemOf(Buffer.from(forged, 'latin1')), /the signature of the key .* does not fit/);
});

test('a wrong signature of a trusted key is refused beside a good one', async () => {
  const parts = [Buffer.from('content')];
  const good = updateWith(manifestOf('0.2.0', parts), [key.key], parts).toString('latin1');
  const line = /[0-9a-f]{16} \S{88}\n/.exec(good)?.[0] ?? '';
  const wrong = `${line.slice(0, 17)}${Buffer.alloc(64).toString('base64')}\n`;
  const both = good.replace(/ 1\n/, ' 2\n').replace(line, line + wrong);
  assert.match(await problemOf(Buffer.from(both, 'latin1')), /does not fit/);
});

test('a signature over the manifest without its prefix is refused', async () => {
  const parts = [Buffer.from('content')];
  const manifest = Buffer.from(JSON.stringify(manifestOf('0.2.0', parts)));
  const signature = sign(null, manifest, key.key).toString('base64');
  const file = `FIRSTLIGHT-UPDATE/1\n${manifest.length} 1\n${key.id} ${signature}\n`;
  assert.match(await problemOf(Buffer.concat([Buffer.from(file), manifest, ...parts])), /does not fit/);
});

test('an update without a signature is refused', async () => {
  const parts = [Buffer.from('content')];
  assert.match(await problemOf(updateWith(manifestOf('0.2.0', parts), [], parts)), /has no signature/);
});

test('a file that is cut anywhere is refused', async () => {
  const whole = updateOf('0.2.0', key.key);
  for (let bytes = 0; bytes < whole.length; bytes += 1)
    assert.notEqual(await problemOf(whole.subarray(0, bytes)), 'none', `${bytes} bytes`);
  assert.match(await problemOf(whole.subarray(0, -1)), /it was cut or extended/);
  assert.match(await problemOf(Buffer.concat([whole, Buffer.from('x')])), /it was cut or extended/);
});

test('a file with any changed byte is refused', async () => {
  const whole = updateOf('0.2.0', key.key);
  for (let index = 0; index < whole.length; index += 1) {
    const changed = Buffer.from(whole);
    changed[index] = (changed[index] ?? 0) ^ 1;
    assert.notEqual(await problemOf(changed), 'none', `byte ${index}`);
  }
});

test('swapped parts are refused', async () => {
  const parts = [Buffer.from('one part'), Buffer.from('another.')];
  const file = updateWith(manifestOf('0.2.0', parts), [key.key], [...parts].reverse());
  assert.match(await problemOf(file), /the part part0.deb is not what the manifest describes/);
});

test('the manifest of another version, with its signature, does not fit the parts', async () => {
  const [older, newer] = [[Buffer.from('older')], [Buffer.from('newer')]];
  const file = updateWith(manifestOf('0.3.0', newer), [key.key], older);
  assert.match(await problemOf(file), /is not what the manifest describes/);
});

test('a part name with a path is refused, although it is signed', async () => {
  const parts = [Buffer.from('content')];
  for (const name of ['../x.deb', '/etc/passwd', '..', 'a/b', 'a\\b', '-x.deb', 'A'.repeat(200)]) {
    const manifest = manifestOf('0.2.0', parts) as { parts: [object] };
    manifest.parts[0] = { ...manifest.parts[0], name };
    assert.match(await problemOf(updateWith(manifest, [key.key], parts)), /invalid name/, name);
  }
});

test('sizes above the limits are refused before they are read', async () => {
  const huge = { bytes: 65_000_000, read: () => assert.fail('must not read') };
  assert.match(await problemOf(huge), /the limit is/);
  const header = (line: string) => Buffer.from(`FIRSTLIGHT-UPDATE/1\n${line}\n`);
  for (const line of ['99999999999 1', '0 1', '-1 1', '1e9 1', '10 1 1', ' 10 1', '010 1'])
    assert.match(await problemOf(header(line)), /second line/, line);
  assert.match(await problemOf(header('64001 1')), /the manifest has 64001 bytes/);
  assert.match(await problemOf(header('10 17')), /more than 16 signatures/);
  const parts = [Buffer.from('content')];
  const bomb = manifestOf('0.2.0', parts) as { parts: [object] };
  bomb.parts[0] = { ...bomb.parts[0], bytes: 10 ** 12 };
  assert.match(await problemOf(updateWith(bomb, [key.key], parts)), /invalid size/);
});

test('content that changes between two reads is not extracted as valid', async () => {
  const whole = updateOf('0.2.0', key.key);
  const changed = Buffer.from(whole);
  changed[whole.length - 1] = 0;
  let isChanged = false;
  const source: UpdateSource = {
    bytes: whole.length,
    read: (position, length) => (isChanged ? changed : whole).subarray(position, position + length),
  };
  const verified = await verifyUpdate(source, key.trusted);
  assert.ok(verified.ok);
  isChanged = true;
  const [part] = verified.value.manifest.parts;
  assert.ok(part);
  assert.match((await extractPart(source, verified.value, part, () => {})) ?? '', /is not what the manifest/);
});

test('any bytes are refused with a sentence and never throw', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, isTitled) => {
      const file = Buffer.concat([Buffer.from(isTitled ? 'FIRSTLIGHT-UPDATE/1\n' : ''), bytes]);
      assert.match(await problemOf(file), /^[a-z].{10,}/);
    }),
  );
});

test('a key of another type signs nothing', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const read = readSigningKey(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  assert.match(read.ok ? '' : read.problem, /no private Ed25519 key/);
});
