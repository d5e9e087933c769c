/** Damaged credential files: no byte is lost, no part of the token is shown, and the error names the files and a remedy. */

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { revealSecrets } from '../doubles/reveal-secrets.ts';
import { BACKUP, MAIN, ON_DISK, PROVISIONED, StoreFixture, storeErrorOf, TOKEN } from './store-fixture.ts';

const REMEDY = /restore|move|install|free|check|choose|must belong/;
const text = JSON.stringify(ON_DISK);
const changed = (members: object): string => JSON.stringify({ ...ON_DISK, ...members });

const DAMAGED: Readonly<Record<string, string | Uint8Array>> = {
  empty: '',
  'nothing but white space': ' \n',
  'truncated in the middle': text.slice(0, text.length - 12),
  'invalid so that a parser quotes the token': text.replace(`"${TOKEN}"`, TOKEN),
  'full of NULs': new Uint8Array(300),
  'followed by NULs': `${text}\0\0\0`,
  'of binary nonsense': Uint8Array.from({ length: 256 }, (_, index) => index),
  null: 'null',
  'an array': `[${text}]`,
  'an empty array': '[]',
  'a text': JSON.stringify(TOKEN),
  'a number': '7',
  'without a version': changed({ version: undefined }),
  'of a version that is a text': changed({ version: '1' }),
  'of version 0': changed({ version: 0 }),
  'without its server': changed({ server: undefined }),
  'with a number for a name': changed({ deviceName: 7 }),
  'with a text for a date': changed({ sinceMs: 'yesterday' }),
  'of an unknown state': changed({ state: 'revoked' }),
  'provisioned without a token': changed({ token: undefined }),
  'with an empty token': changed({ token: '' }),
  'with a token that is a list': changed({ token: [TOKEN] }),
  'larger than any record': changed({ padding: 'x'.repeat(100_000) }),
};

describe('if the file and its backup are both', () => {
  for (const [what, content] of Object.entries(DAMAGED)) {
    it(`${what}, reading fails with a StoreError and both stay unchanged`, async () => {
      using fixture = new StoreFixture();
      fixture.put(MAIN, content);
      fixture.put(BACKUP, content);
      const before = fixture.contents;
      const error = await storeErrorOf(fixture.open().read());
      assert.deepEqual(fixture.contents, before);
      assert.ok(error.message.includes(fixture.directory), error.message);
      // The failure policy of this code has the remedy (core/failures/policies.ts).
      assert.equal(error.code, 'CREDENTIALS_DAMAGED');
      assert.doesNotMatch(inspect([error, fixture.log.lines], { depth: 9, showHidden: true }), /QZ7/);
    });
  }
});

describe('if only the file is', () => {
  for (const [what, content] of Object.entries(DAMAGED)) {
    it(`${what}, the backup is used and the file is archived`, async () => {
      using fixture = new StoreFixture();
      fixture.put(MAIN, content);
      fixture.put(BACKUP, text);
      const damaged = fixture.bytes(MAIN);
      assert.deepEqual(revealSecrets(await fixture.open().read()), revealSecrets(PROVISIONED));
      assert.ok(Object.values(fixture.contents).includes(damaged));
      assert.deepEqual(JSON.parse(fixture.bytes(MAIN)), ON_DISK);
      assert.doesNotMatch(inspect(fixture.log.lines, { depth: 9 }), /QZ7/);
    });
  }
});

describe('a file of a newer version', () => {
  const newer = changed({ version: 2, state: 'rotated' });

  for (const place of [MAIN, BACKUP]) {
    it(`as ${place} is a StoreError with a remedy and stays unchanged`, async () => {
      using fixture = new StoreFixture();
      fixture.put(MAIN, text);
      fixture.put(place, newer);
      const before = fixture.contents;
      const error = await storeErrorOf(fixture.open().read());
      assert.deepEqual(fixture.contents, before);
      assert.ok(error.message.includes(join(fixture.directory, place)), error.message);
      assert.match(error.message, /version 2.*install/);
    });
  }
});

it('a file with a byte order mark is valid', async () => {
  using fixture = new StoreFixture();
  fixture.put(MAIN, `\uFEFF${text}`);
  assert.deepEqual(revealSecrets(await fixture.open().read()), revealSecrets(PROVISIONED));
});

it('a missing or damaged backup is written again from the file', async () => {
  for (const backup of [undefined, 'torn', changed({ sinceMs: 5 })]) {
    using fixture = new StoreFixture();
    fixture.put(MAIN, text);
    if (backup !== undefined) fixture.put(BACKUP, backup);
    await fixture.open().read();
    assert.deepEqual(JSON.parse(fixture.bytes(BACKUP)), ON_DISK);
  }
});

it('a directory with the name of the file is a StoreError with a remedy', async () => {
  using fixture = new StoreFixture();
  mkdirSync(join(fixture.directory, MAIN), { recursive: true });
  const error = await storeErrorOf(fixture.open().read());
  assert.ok(error.message.includes(fixture.directory));
  assert.match(error.message, REMEDY);
});

it('a file with the name of the directory is a StoreError with a remedy', async () => {
  using fixture = new StoreFixture();
  writeFileSync(fixture.directory, '');
  const { directory } = fixture;
  const store = fixture.open();
  for (const action of [() => store.read(), () => store.write(PROVISIONED)]) {
    const error = await storeErrorOf(action());
    assert.ok(error.message.includes(directory));
    assert.match(error.message, REMEDY);
  }
});
