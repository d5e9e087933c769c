/** The fixed access token: its sources, their precedence, valid values, and provisioning.* beside it. */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import type { LoadRequest } from '../../../src/config/load.ts';
import { ConfigFixture, SERVER } from '../config-fixture.ts';

const IN_THE_FILE = `${SERVER}[device]\ntoken = "in-the-file"\n`;

function tokenOf(
  fixture: ConfigFixture,
  toml: string,
  rest: Partial<LoadRequest> = {},
): [string | undefined, string | undefined] {
  const { config, sources } = fixture.load(toml, rest);
  return [config.device.token?.reveal(), sources['device.token']];
}

describe('the effective token', () => {
  it('is the systemd credential, then the variable, then the value in the file', () => {
    using fixture = new ConfigFixture();
    const directory = join(fixture.directory, 'credentials');
    mkdirSync(directory);
    const credential = fixture.write('credentials/firstlight.token', 'of-systemd\n');
    const named = fixture.write('named', 'of-a-variable\n');
    const inline = { FIRSTLIGHT_DEVICE_TOKEN: 'in-a-variable' };
    const file = { FIRSTLIGHT_DEVICE_TOKEN_FILE: named };
    const rest = { environment: inline, credentialsDirectory: directory };
    assert.deepEqual(tokenOf(fixture, IN_THE_FILE, rest), ['of-systemd', credential]);
    const variable = 'FIRSTLIGHT_DEVICE_TOKEN';
    assert.deepEqual(tokenOf(fixture, IN_THE_FILE, { environment: inline }), ['in-a-variable', variable]);
    assert.deepEqual(tokenOf(fixture, IN_THE_FILE, { environment: file }), ['of-a-variable', named]);
    const byFile = `${SERVER}[device]\ntoken-file = "${named}"`;
    assert.deepEqual(tokenOf(fixture, byFile), ['of-a-variable', named]);
    assert.deepEqual(tokenOf(fixture, IN_THE_FILE), ['in-the-file', `${fixture.toml}:4`]);
    assert.deepEqual(tokenOf(fixture, SERVER), [undefined, undefined]);
  });

  it('and the secret are separate systemd credentials', () => {
    using fixture = new ConfigFixture();
    fixture.write('firstlight.secret', 's3');
    const rest = { credentialsDirectory: fixture.directory };
    const { config } = fixture.load(`${SERVER}[provisioning]\nkey = "k"`, rest);
    assert.deepEqual([config.device.token, config.provisioning?.secret.reveal()], [undefined, 's3']);
    fixture.write('firstlight.token', 't0ken');
    assert.equal(fixture.load(SERVER, rest).config.device.token?.reveal(), 't0ken');
  });

  it('is a problem if it is set twice in one source', () => {
    using fixture = new ConfigFixture();
    const [problem] = fixture.sentences(`${IN_THE_FILE}token-file = "${fixture.write('named', 'x')}"`);
    assert.match(problem ?? '', /:5: device\.token-file is set together with device\.token; remove one/);
  });

  it('is a problem if its file is missing, also with after-success = "forget"', () => {
    using fixture = new ConfigFixture();
    const forget = '[provisioning]\nafter-success = "forget"\n';
    const [problem] = fixture.sentences(`${SERVER}${forget}[device]\ntoken-file = "/nowhere/at/all"`);
    assert.match(problem ?? '', /device\.token-file names \/nowhere\/at\/all, which does not exist/);
  });

  it('is a warning if every user can read its file', () => {
    using fixture = new ConfigFixture();
    const named = fixture.write('named', 'x');
    chmodSync(named, 0o644);
    const { warnings } = fixture.load(`${SERVER}[device]\ntoken-file = "${named}"`);
    assert.match(
      warnings.join('\n'),
      /^\S+named contains the access token and is readable by every user .* run: chmod o= \S+$/,
    );
    fixture.write('firstlight.toml', IN_THE_FILE);
    chmodSync(fixture.toml, 0o644);
    assert.match(
      fixture.load(undefined).warnings.join('\n'),
      /^\S+firstlight\.toml contains the access token/,
    );
  });

  it('is not shown in the JSON or the inspection of the configuration', () => {
    using fixture = new ConfigFixture();
    const loaded = fixture.load(IN_THE_FILE);
    assert.doesNotMatch(JSON.stringify(loaded) + inspect(loaded, { depth: 9 }), /in-the-file/);
  });
});

describe('a token', () => {
  const invalid: readonly [token: string, what: RegExp][] = [
    ['', /is empty/],
    ['t'.repeat(256), /is too long/],
    ['a b', /contains a space/],
    ['aü', /the non-ASCII character U\+00FC/],
    ['a\\u007f', /control character/],
    ['a/b', /contains \/;/],
    ['a?b', /contains \?;/],
    ['..', /is \. or \.\.,/],
  ];
  for (const [token, what] of invalid) {
    it(`is rejected with the bound and not shown: ${JSON.stringify(token.slice(0, 12))}`, () => {
      using fixture = new ConfigFixture();
      const sentences = fixture.sentences(`${SERVER}[device]\ntoken = "${token}"`);
      assert.equal(sentences.length, 1);
      assert.match(sentences[0] ?? '', what);
      assert.match(
        sentences[0] ?? '',
        /device\.token = \*\*\* .*; allowed: 1 to 255 printable ASCII characters/,
      );
    });
  }

  it('may have 1 to 255 other printable ASCII characters', () => {
    using fixture = new ConfigFixture();
    const all = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))
      .join('')
      .replace(/[/?]/g, '');
    for (const token of ['t', 't'.repeat(255), all]) {
      assert.equal(
        tokenOf(fixture, `${SERVER}[device]\ntoken-file = "${fixture.write('t', token)}"`)[0],
        token,
      );
    }
  });
});

describe('a token that works over coap and coaps only', () => {
  const urls = (...schemes: readonly string[]) =>
    `[server]\nurl = [${schemes.map((scheme) => `"${scheme}://tb.example.com"`).join(', ')}]\n`;
  const tokens = [
    ['a;b', ';'],
    ['100%', '%'],
    ['a\\b', '\\'],
  ] as const;

  for (const [token, character] of tokens) {
    it(`is rejected beside an http or https URL, naming ${character}`, () => {
      using fixture = new ConfigFixture();
      const named = fixture.write('named', token);
      for (const schemes of [['https'], ['coap', 'https'], ['http', 'coap']]) {
        for (const [setting, rest] of [
          [`token = '${token}'`, {}],
          [`token-file = "${named}"`, {}],
          ['', { environment: { FIRSTLIGHT_DEVICE_TOKEN: token } }],
          ['', { credentialsDirectory: credentialsWith(fixture, token) }],
        ] as const) {
          const sentences = fixture.sentences(`${urls(...schemes)}[device]\n${setting}`, rest);
          assert.equal(sentences.length, 1, sentences.join('\n'));
          const [sentence = ''] = sentences;
          assert.ok(
            sentence.includes(
              `device.token = *** contains ${character}, which works over coap and coaps only`,
            ),
          );
          assert.ok(!sentence.includes(token), sentence);
        }
      }
    });
  }

  it('is a warning with coap URLs only', () => {
    using fixture = new ConfigFixture();
    const { config, warnings } = fixture.load(`${urls('coap')}[device]\ntoken = "a;b"`);
    assert.equal(config.device.token?.reveal(), 'a;b');
    assert.deepEqual(warnings, [
      'device.token contains ;, which works over coap and coaps only, because the web server of ThingsBoard rejects it: give the device a token of letters and digits',
    ]);
  });

  it('does not stop a service that can use coap, but one that cannot', () => {
    using fixture = new ConfigFixture();
    const device = '[device]\ntoken = "a;b"';
    const { warnings } = fixture.load(`${urls('https', 'coap')}${device}`, { isService: true });
    assert.match(warnings.join('\n'), /device\.token contains ;, which works over coap and coaps only/);
    assert.equal(fixture.sentences(`${urls('https')}${device}`, { isService: true }).length, 1);
  });
});

function credentialsWith(fixture: ConfigFixture, token: string): string {
  const directory = join(fixture.directory, 'credentials');
  mkdirSync(directory, { recursive: true });
  fixture.write('credentials/firstlight.token', token);
  return directory;
}

describe('with a token, provisioning', () => {
  it('is not used, which is a warning with the keys and without the secret', () => {
    using fixture = new ConfigFixture();
    const pair = '[provisioning]\nkey = "k"\nsecret = "s3cret"\n';
    const { config, warnings } = fixture.load(`${IN_THE_FILE}${pair}`);
    assert.equal(config.provisioning, undefined);
    assert.equal(config.device.token?.reveal(), 'in-the-file');
    assert.deepEqual(warnings, [
      'device.token is set together with provisioning.key and provisioning.secret: the agent uses the token and ignores provisioning.*',
    ]);
  });

  it('may lack the key, the secret or the secret file', () => {
    using fixture = new ConfigFixture();
    for (const half of ['key = "k"', 'secret = "s"', 'key = "k"\nsecret-file = "/nowhere/at/all"']) {
      const { config, warnings } = fixture.load(`${IN_THE_FILE}[provisioning]\n${half}`);
      assert.equal(config.provisioning, undefined);
      assert.equal(warnings.length, 1);
    }
  });

  it('is still validated, because the token may be removed one day', () => {
    using fixture = new ConfigFixture();
    const invalid = '[provisioning]\nkey = ""\nsecret = ""\ncredentials = "x"\nafter-success = "x"\n';
    assert.equal(fixture.problems(`${IN_THE_FILE}${invalid}`).length, 4);
  });

  it('stays unused if the token is invalid, without a further problem', () => {
    using fixture = new ConfigFixture();
    const sentences = fixture.sentences(`${SERVER}[device]\ntoken = ""\n[provisioning]\nkey = "k"`);
    assert.equal(sentences.length, 1, sentences.join('\n'));
  });

  it('causes no warning if nothing of it is set', () => {
    using fixture = new ConfigFixture();
    assert.deepEqual(fixture.load(IN_THE_FILE).warnings, []);
  });
});
