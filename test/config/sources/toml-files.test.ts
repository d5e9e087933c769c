/** Drop-ins in conf.d, in the order of their names; and the differences of two configurations. */

import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { changedTables } from '../../../src/config/differences.ts';
import { ConfigFixture, SERVER } from '../config-fixture.ts';

/** A fixture with these drop-ins. */
function fixtureWith(dropIns: Readonly<Record<string, string>>): ConfigFixture {
  const fixture = new ConfigFixture();
  mkdirSync(join(fixture.directory, 'conf.d'));
  for (const [name, text] of Object.entries(dropIns)) fixture.write(`conf.d/${name}`, text);
  return fixture;
}

const interval = (text: string) => `[telemetry]\ninterval = "${text}"\n`;

describe('drop-ins', () => {
  it('are read in the order of their names, and the last one to set a key is its source', () => {
    using fixture = fixtureWith({
      '20.toml': interval('20s'),
      '10.toml': `${interval('15s')}drain-rate = "7"\n`,
    });
    const { config, sources } = fixture.load(`${SERVER}${interval('30s')}`);
    assert.equal(config.telemetry.intervalMs, 20_000);
    assert.equal(config.telemetry.drainPerS, 7);
    assert.equal(sources['telemetry.interval'], join(fixture.directory, 'conf.d/20.toml:2'));
    assert.equal(sources['telemetry.drain-rate'], join(fixture.directory, 'conf.d/10.toml:3'));
    assert.equal(sources['server.url'], join(fixture.directory, 'firstlight.toml:2'));
  });

  it('have lower precedence than the environment', () => {
    using fixture = fixtureWith({ '10.toml': interval('15s') });
    const { config } = fixture.load(SERVER, { environment: { FIRSTLIGHT_TELEMETRY_INTERVAL: '1m' } });
    assert.equal(config.telemetry.intervalMs, 60_000);
  });

  it('are named with file and line in problems', () => {
    using fixture = fixtureWith({ 'a.toml': interval('1'), 'b.toml': '[telemtry]\n', 'c.toml': 'oops' });
    assert.deepEqual(
      fixture.sentences(`${SERVER}[log]\nlevel = "loud"\n`).map((sentence) => sentence.split(': ')[0]),
      ['firstlight.toml:4', 'conf.d/a.toml:2', 'conf.d/b.toml:1', 'conf.d/c.toml:1'],
    );
  });

  it('may contain the server, also without a main file', () => {
    using fixture = fixtureWith({ 'site.toml': SERVER });
    assert.equal(
      fixture.load(undefined, { fileRequired: false }).config.server.endpoints[0].host,
      'thingsboard.example.com',
    );
    assert.match(fixture.sentences(undefined)[0] ?? '', /^firstlight.toml: does not exist/);
  });

  it('are only files that end with .toml and are not hidden', () => {
    using fixture = fixtureWith({
      '.a.toml': 'oops',
      'a.toml~': 'oops',
      'a.toml.dpkg-old': 'oops',
      README: 'oops',
    });
    assert.deepEqual(fixture.problems(SERVER), []);
  });

  it('are a problem if they are broken links, devices or too many', () => {
    using fixture = fixtureWith({});
    symlinkSync('/nonexistent', join(fixture.directory, 'conf.d/x.toml'));
    symlinkSync('/dev/null', join(fixture.directory, 'conf.d/y.toml'));
    assert.deepEqual(fixture.sentences(SERVER), [
      'conf.d/x.toml: is a link to a file that does not exist',
      'conf.d/y.toml: is not a regular file',
    ]);
    const names = Array.from({ length: 65 }, (_, index) => [`${index}.toml`, ''] as const);
    using many = fixtureWith(Object.fromEntries(names));
    assert.deepEqual(many.sentences(SERVER), ['conf.d: contains more than 64 files']);
    using file = new ConfigFixture();
    file.write('conf.d', '');
    assert.deepEqual(file.sentences(SERVER), ['conf.d: is not a directory']);
  });

  it('may contain the secret while the file contains the key', () => {
    using fixture = fixtureWith({ 'pair.toml': '[provisioning]\nsecret = "s1"\n' });
    const { config } = fixture.load(`${SERVER}[provisioning]\nkey = "k"\n`);
    assert.equal(config.provisioning?.secret.reveal(), 's1');
  });

  it('take precedence with secret or secret-file over earlier ones', () => {
    const tableWith = (line: string) => `[provisioning]\n${line}\n`;
    using fixture = fixtureWith({
      '1.toml': tableWith('secret = "s1"'),
      '2.toml': tableWith('secret = "s2"'),
    });
    const path = fixture.write('file', 'of-the-file');
    const secretOf = (toml: string) => fixture.load(toml).config.provisioning?.secret.reveal();
    const base = `${SERVER}[provisioning]\nkey = "k"\n`;
    assert.equal(secretOf(`${base}secret-file = "${path}"\n`), 's2');
    fixture.write('conf.d/3.toml', tableWith(`secret-file = "${path}"`));
    assert.equal(secretOf(base), 'of-the-file');
    fixture.write('conf.d/3.toml', tableWith(`secret-file = "${path}"\nsecret = "s3"`));
    assert.match(fixture.sentences(base)[0] ?? '', /^conf.d\/3.toml:2: .*set together with/);
  });

  it('are a warning if they contain a secret and every user can read them', () => {
    using fixture = fixtureWith({});
    fixture.write('conf.d/open.toml', '[provisioning]\nkey = "k"\nsecret = "s"\n', 0o644);
    const { warnings } = fixture.load(SERVER);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /conf\.d\/open\.toml contains the provisioning secret/);
  });
});

describe('changedTables', () => {
  const pair = (secret: string) => `${SERVER}[provisioning]\nkey = "k"\nsecret = "${secret}"\n`;
  const CASES: readonly (readonly [
    what: string,
    before: string,
    after: string,
    tables: readonly string[],
  ])[] = [
    ['nothing', pair('s'), pair('s'), []],
    ['another notation of the same value', `${SERVER}${interval('60s')}`, `${SERVER}${interval('1m')}`, []],
    ['a secret', pair('s'), pair('t'), ['provisioning']],
    ['a removed secret', pair('s'), SERVER, ['provisioning']],
    ['a deadband', SERVER, `${SERVER}[telemetry]\ndeadband = "load1=1"\n`, ['telemetry']],
    [
      'one deadband of two',
      `${SERVER}[telemetry]\ndeadband = "load1=1, load5=1"\n`,
      `${SERVER}[telemetry]\ndeadband = "load1=1, load5=2"\n`,
      ['telemetry'],
    ],
    [
      'several',
      SERVER,
      `${SERVER}spread = "5s"\n[device]\nname = "x"\n[log]\nlevel = "warn"\n`,
      ['server', 'device', 'log'],
    ],
  ];
  for (const [what, before, after, tables] of CASES) {
    it(`returns the names of the tables that differ: ${what}`, () => {
      using fixture = new ConfigFixture();
      assert.deepEqual(changedTables(fixture.load(before).config, fixture.load(after).config), tables);
    });
  }
});
