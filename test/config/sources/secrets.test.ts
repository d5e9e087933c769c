/** The sources of the provisioning secret and their precedence. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { LoadRequest } from '../../../src/config/load.ts';
import { ConfigFixture, SERVER } from '../config-fixture.ts';

const SECRET = 'hush-8f3a';

function secretOf(
  fixture: ConfigFixture,
  toml: string,
  rest: Partial<LoadRequest> = {},
): [string | undefined, string | undefined] {
  const { config, sources } = fixture.load(toml, rest);
  return [config.provisioning?.secret.reveal(), sources['provisioning.secret']];
}

describe('the effective secret', () => {
  const TEXT = `${SERVER}[provisioning]\nkey = "k"\nsecret = "in-the-file"\n`;

  it('is the systemd credential, then the variable, then the value in the file', () => {
    using fixture = new ConfigFixture();
    const directory = join(fixture.directory, 'credentials');
    mkdirSync(directory);
    const credential = fixture.write('credentials/firstlight.secret', 'of-systemd\n');
    const named = fixture.write('named', 'of-a-variable');
    const both = { FIRSTLIGHT_PROVISIONING_SECRET: 'in-a-variable' };
    const file = { FIRSTLIGHT_PROVISIONING_SECRET_FILE: named };
    const rest = { environment: both, credentialsDirectory: directory };
    assert.deepEqual(secretOf(fixture, TEXT, rest), ['of-systemd', credential]);
    const variable = 'FIRSTLIGHT_PROVISIONING_SECRET';
    assert.deepEqual(secretOf(fixture, TEXT, { environment: both }), ['in-a-variable', variable]);
    assert.deepEqual(secretOf(fixture, TEXT, { environment: file }), ['of-a-variable', named]);
    assert.deepEqual(secretOf(fixture, TEXT), ['in-the-file', `${fixture.toml}:5`]);
  });

  it('of a variable takes precedence over secret-file, which is then not read', () => {
    using fixture = new ConfigFixture();
    const toml = `${SERVER}[provisioning]\nkey = "k"\nsecret-file = "/nowhere/at/all"`;
    const environment = { FIRSTLIGHT_PROVISIONING_SECRET: 'in-a-variable' };
    assert.equal(secretOf(fixture, toml, { environment })[0], 'in-a-variable');
  });

  it('comes from the file if the credentials directory has none', () => {
    using fixture = new ConfigFixture();
    assert.equal(secretOf(fixture, TEXT, { credentialsDirectory: fixture.directory })[0], 'in-the-file');
  });

  it('of a file loses one newline at its end and no other character', () => {
    using fixture = new ConfigFixture();
    const toml = (path: string): string => `${SERVER}[provisioning]\nkey = "k"\nsecret-file = "${path}"`;
    assert.equal(secretOf(fixture, toml(fixture.write('unix', ' a b \n')))[0], ' a b ');
    assert.equal(secretOf(fixture, toml(fixture.write('dos', 'ab\r\n')))[0], 'ab');
    assert.equal(secretOf(fixture, toml(fixture.write('bare', 'ab')))[0], 'ab');
    assert.match(
      fixture.sentences(toml(fixture.write('two', 'ab\n\n')))[0] ?? '',
      /\*\*\* contains a control character/,
    );
  });

  it('is a problem if it is set twice in one source, but not in two sources', () => {
    using fixture = new ConfigFixture();
    const named = fixture.write('named', SECRET);
    const twice = `${TEXT}secret-file = "${named}"`;
    assert.match(
      fixture.sentences(twice)[0] ?? '',
      /:6: provisioning\.secret-file is set together with provisioning\.secret/,
    );
    const environment = { FIRSTLIGHT_PROVISIONING_SECRET: 'a', FIRSTLIGHT_PROVISIONING_SECRET_FILE: named };
    assert.equal(fixture.problems(TEXT, { environment }).length, 1);
    const one = { FIRSTLIGHT_PROVISIONING_SECRET_FILE: named };
    assert.deepEqual(fixture.problems(TEXT, { environment: one }), []);
  });
});

describe('a secret file', () => {
  const invalid: readonly [name: string, make: (fixture: ConfigFixture) => string, what: RegExp][] = [
    ['that is missing', (fixture) => join(fixture.directory, 'none'), /names .*none, which does not exist/],
    ['that is a directory', (fixture) => fixture.directory, /which is a directory/],
    ['that is empty', (fixture) => fixture.write('s', '\n'), /provisioning\.secret = \*\*\* is empty/],
    ['of more than 4 KiB', (fixture) => fixture.write('s', SECRET.repeat(500)), /larger than 4 KiB/],
    ['of more than 255 characters', (fixture) => fixture.write('s', SECRET.repeat(50)), /\*\*\* is too long/],
    ['that is not UTF-8', (fixture) => fixture.write('s', Buffer.from([0x68, 0xff])), /is not UTF-8/],
    ['that is a FIFO', (fixture) => withFifo(fixture), /not a regular file/],
    ['whose path is relative', () => SECRET, /secret-file = \*\*\* is not an absolute path/],
  ];
  for (const [name, make, what] of invalid) {
    it(`${name} is one problem without its content`, () => {
      using fixture = new ConfigFixture();
      const sentences = fixture.sentences(
        `${SERVER}[provisioning]\nkey = "k"\nsecret-file = "${make(fixture)}"`,
      );
      assert.equal(sentences.length, 1, sentences.join('\n'));
      assert.match(sentences[0] ?? '', what);
      assert.doesNotMatch(sentences[0] ?? '', /hush/);
    });
  }

  it('in the credentials directory that is not readable is a problem', () => {
    using fixture = new ConfigFixture();
    mkdirSync(join(fixture.directory, 'firstlight.secret'));
    const environment = { FIRSTLIGHT_PROVISIONING_SECRET: 'x', FIRSTLIGHT_PROVISIONING_KEY: 'k' };
    const sentences = fixture.sentences(SERVER, { environment, credentialsDirectory: fixture.directory });
    assert.deepEqual(sentences, ['firstlight.secret: is a directory, not a file']);
  });

  it('that every user can read is a warning with a remedy, as is a configuration file', () => {
    using fixture = new ConfigFixture();
    const named = fixture.write('named', SECRET);
    chmodSync(named, 0o644);
    const { warnings } = fixture.load(`${SERVER}[provisioning]\nkey = "k"\nsecret-file = "${named}"`);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /named contains the provisioning secret .* run: chmod o= /);
    chmodSync(fixture.toml, 0o644);
    const inline = fixture.load(`${SERVER}[provisioning]\nkey = "k"\nsecret = "${SECRET}"`);
    assert.equal(inline.warnings.length, 1);
    assert.match(inline.warnings[0] ?? '', /firstlight\.toml contains/);
    assert.deepEqual(fixture.load(SERVER).warnings, []);
  });

  it('that this user may not be able to read is a warning, otherwise a problem', () => {
    using fixture = new ConfigFixture();
    const text = `${SERVER}[provisioning]\nkey = "k"\n`;
    const { config, warnings, secretHidden } = fixture.load(text, { credentialsHidden: true });
    assert.deepEqual([config.provisioning, secretHidden], [undefined, true]);
    assert.match(warnings.join(), /run with sudo to check it/);
    assert.match(fixture.sentences(text).join(), /provisioning\.secret-file is missing/);
  });

  it('that the group can read is no warning', () => {
    using fixture = new ConfigFixture();
    const named = fixture.write('named', SECRET);
    chmodSync(named, 0o640);
    assert.deepEqual(
      fixture.load(`${SERVER}[provisioning]\nkey = "k"\nsecret-file = "${named}"`).warnings,
      [],
    );
    chmodSync(fixture.toml, 0o640);
    assert.deepEqual(fixture.load(`${SERVER}[provisioning]\nkey = "k"\nsecret = "${SECRET}"`).warnings, []);
  });
});

function withFifo(fixture: ConfigFixture): string {
  const path = join(fixture.directory, 'fifo');
  execFileSync('mkfifo', [path]);
  return path;
}
