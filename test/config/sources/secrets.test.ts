/** Where the provisioning secret and the access token may lie, and which one counts. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { LoadRequest } from '../../../src/config/load.ts';
import { Desk, SERVER } from '../config-fixture.ts';

const HUSH = 'hush-8f3a';

function secretOf(
  desk: Desk,
  toml: string,
  rest: Partial<LoadRequest> = {},
): [string | undefined, string | undefined] {
  const { config, sources } = desk.load(toml, rest);
  return [config.provisioning?.secret.reveal(), sources['provisioning.secret']];
}

describe('the secret that counts', () => {
  const TEXT = `${SERVER}[provisioning]\nkey = "k"\nsecret = "in-the-file"\n`;

  it('is the credential of systemd, before the environment, before what the file says', () => {
    using desk = new Desk();
    const directory = join(desk.directory, 'credentials');
    mkdirSync(directory);
    const credential = desk.write('credentials/firstlight.secret', 'of-systemd\n');
    const named = desk.write('named', 'of-a-variable');
    const both = { FIRSTLIGHT_PROVISIONING_SECRET: 'in-a-variable' };
    const file = { FIRSTLIGHT_PROVISIONING_SECRET_FILE: named };
    const rest = { environment: both, credentialsDirectory: directory };
    assert.deepEqual(secretOf(desk, TEXT, rest), ['of-systemd', credential]);
    const variable = 'FIRSTLIGHT_PROVISIONING_SECRET';
    assert.deepEqual(secretOf(desk, TEXT, { environment: both }), ['in-a-variable', variable]);
    assert.deepEqual(secretOf(desk, TEXT, { environment: file }), ['of-a-variable', named]);
    assert.deepEqual(secretOf(desk, TEXT), ['in-the-file', `${desk.toml}:5`]);
  });

  it('in a variable beats a secret-file of the configuration file, which is then not even read', () => {
    using desk = new Desk();
    const toml = `${SERVER}[provisioning]\nkey = "k"\nsecret-file = "/nowhere/at/all"`;
    const environment = { FIRSTLIGHT_PROVISIONING_SECRET: 'in-a-variable' };
    assert.equal(secretOf(desk, toml, { environment })[0], 'in-a-variable');
  });

  it('is not looked for in a credentials directory that has none', () => {
    using desk = new Desk();
    assert.equal(secretOf(desk, TEXT, { credentialsDirectory: desk.directory })[0], 'in-the-file');
  });

  it('in a file loses one newline at its end and no other character', () => {
    using desk = new Desk();
    const toml = (path: string): string => `${SERVER}[provisioning]\nkey = "k"\nsecret-file = "${path}"`;
    assert.equal(secretOf(desk, toml(desk.write('unix', ' a b \n')))[0], ' a b ');
    assert.equal(secretOf(desk, toml(desk.write('dos', 'ab\r\n')))[0], 'ab');
    assert.equal(secretOf(desk, toml(desk.write('bare', 'ab')))[0], 'ab');
    assert.match(
      desk.sentences(toml(desk.write('two', 'ab\n\n')))[0] ?? '',
      /\*\*\* has a control character/,
    );
  });

  it('given twice in one source is a problem, twice in two sources is not', () => {
    using desk = new Desk();
    const named = desk.write('named', HUSH);
    const twice = `${TEXT}secret-file = "${named}"`;
    assert.match(
      desk.sentences(twice)[0] ?? '',
      /:6: provisioning\.secret-file is given together with provisioning\.secret/,
    );
    const environment = { FIRSTLIGHT_PROVISIONING_SECRET: 'a', FIRSTLIGHT_PROVISIONING_SECRET_FILE: named };
    assert.equal(desk.problems(TEXT, { environment }).length, 1);
    const one = { FIRSTLIGHT_PROVISIONING_SECRET_FILE: named };
    assert.deepEqual(desk.problems(TEXT, { environment: one }), []);
  });
});

describe('a secret file', () => {
  const wrong: readonly [name: string, make: (desk: Desk) => string, what: RegExp][] = [
    ['that is missing', (desk) => join(desk.directory, 'none'), /names .*none, which does not exist/],
    ['that is a directory', (desk) => desk.directory, /which is a directory/],
    ['that is empty', (desk) => desk.write('s', '\n'), /provisioning\.secret = \*\*\* is empty/],
    ['of more than 4 KiB', (desk) => desk.write('s', HUSH.repeat(500)), /larger than 4 KiB/],
    ['of more than 255 characters', (desk) => desk.write('s', HUSH.repeat(50)), /\*\*\* is too long/],
    ['that is not UTF-8', (desk) => desk.write('s', Buffer.from([0x68, 0xff])), /is not UTF-8/],
    ['that is a FIFO', (desk) => fifo(desk), /not a regular file/],
    ['whose path is relative', () => HUSH, /secret-file = \*\*\* is not an absolute path/],
  ];
  for (const [name, make, what] of wrong) {
    it(`${name} is one problem, and its content is in none`, () => {
      using desk = new Desk();
      const sentences = desk.sentences(`${SERVER}[provisioning]\nkey = "k"\nsecret-file = "${make(desk)}"`);
      assert.equal(sentences.length, 1, sentences.join('\n'));
      assert.match(sentences[0] ?? '', what);
      assert.doesNotMatch(sentences[0] ?? '', /hush/);
    });
  }

  it('in the credentials directory that cannot be read is a problem, not a reason to look elsewhere', () => {
    using desk = new Desk();
    mkdirSync(join(desk.directory, 'firstlight.secret'));
    const environment = { FIRSTLIGHT_PROVISIONING_SECRET: 'x', FIRSTLIGHT_PROVISIONING_KEY: 'k' };
    const sentences = desk.sentences(SERVER, { environment, credentialsDirectory: desk.directory });
    assert.deepEqual(sentences, ['firstlight.secret: is a directory, not a file']);
  });

  it('that everyone can read is a warning with its remedy, and so is such a configuration file', () => {
    using desk = new Desk();
    const named = desk.write('named', HUSH);
    chmodSync(named, 0o644);
    const { warnings } = desk.load(`${SERVER}[provisioning]\nkey = "k"\nsecret-file = "${named}"`);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /named holds the provisioning secret .* run: chmod o= /);
    chmodSync(desk.toml, 0o644);
    const inline = desk.load(`${SERVER}[provisioning]\nkey = "k"\nsecret = "${HUSH}"`);
    assert.equal(inline.warnings.length, 1);
    assert.match(inline.warnings[0] ?? '', /firstlight\.toml holds/);
    assert.deepEqual(desk.load(SERVER).warnings, []);
  });

  it('that may be where this user cannot look is a doubt and no problem; one that nobody hides is missing', () => {
    using desk = new Desk();
    const text = `${SERVER}[provisioning]\nkey = "k"\n`;
    const { config, warnings, secretHidden } = desk.load(text, { credentialsHidden: true });
    assert.deepEqual([config.provisioning, secretHidden], [undefined, true]);
    assert.match(warnings.join(), /run it with sudo to be sure/);
    assert.match(desk.sentences(text).join(), /provisioning\.secret-file is missing/);
  });

  it('that the group can read is nobody else’s business', () => {
    using desk = new Desk();
    const named = desk.write('named', HUSH);
    chmodSync(named, 0o640);
    assert.deepEqual(desk.load(`${SERVER}[provisioning]\nkey = "k"\nsecret-file = "${named}"`).warnings, []);
    chmodSync(desk.toml, 0o640);
    assert.deepEqual(desk.load(`${SERVER}[provisioning]\nkey = "k"\nsecret = "${HUSH}"`).warnings, []);
  });
});

function fifo(desk: Desk): string {
  const path = join(desk.directory, 'fifo');
  execFileSync('mkfifo', [path]);
  return path;
}
