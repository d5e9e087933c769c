/** Drop-ins: the files *.toml in conf.d beside the configuration, in the order of their names; and what differs between two. */

import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { changedTables } from '../../../src/config/differences.ts';
import { ConfigFixture, SERVER } from '../config-fixture.ts';

/** A desk with these drop-ins. */
function fixtureWith(dropIns: Readonly<Record<string, string>>): ConfigFixture {
  const fixture = new ConfigFixture();
  mkdirSync(join(fixture.directory, 'conf.d'));
  for (const [name, text] of Object.entries(dropIns)) fixture.write(`conf.d/${name}`, text);
  return fixture;
}

const interval = (text: string) => `[telemetry]\ninterval = "${text}"\n`;

describe('drop-ins', () => {
  it('are read in the order of their names: the last to give a key wins, key by key, and is shown as its source', () => {
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

  it('give way to the environment', () => {
    using fixture = fixtureWith({ '10.toml': interval('15s') });
    const { config } = fixture.load(SERVER, { environment: { FIRSTLIGHT_TELEMETRY_INTERVAL: '1m' } });
    assert.equal(config.telemetry.intervalMs, 60_000);
  });

  it('are told with file and line, with all other problems', () => {
    using fixture = fixtureWith({ 'a.toml': interval('1'), 'b.toml': '[telemtry]\n', 'c.toml': 'oops' });
    assert.deepEqual(
      fixture.sentences(`${SERVER}[log]\nlevel = "loud"\n`).map((sentence) => sentence.split(': ')[0]),
      ['firstlight.toml:4', 'conf.d/a.toml:2', 'conf.d/b.toml:1', 'conf.d/c.toml:1'],
    );
  });

  it('may hold the server, also where there is no other file', () => {
    using fixture = fixtureWith({ 'site.toml': SERVER });
    assert.equal(
      fixture.load(undefined, { fileRequired: false }).config.server.endpoints[0].host,
      'thingsboard.example.com',
    );
    assert.match(fixture.sentences(undefined)[0] ?? '', /^firstlight.toml: does not exist/);
  });

  it('are only what ends in .toml and is not hidden', () => {
    using fixture = fixtureWith({
      '.a.toml': 'oops',
      'a.toml~': 'oops',
      'a.toml.dpkg-old': 'oops',
      README: 'oops',
    });
    assert.deepEqual(fixture.problems(SERVER), []);
  });

  it('that lead nowhere, cannot be read or are too many are a problem; so is a conf.d that is a file', () => {
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

  it('hold one half of a pair, the file the other', () => {
    using fixture = fixtureWith({ 'pair.toml': '[provisioning]\nsecret = "s1"\n' });
    const { config } = fixture.load(`${SERVER}[provisioning]\nkey = "k"\n`);
    assert.equal(config.provisioning?.secret.reveal(), 's1');
  });

  it('with a secret win over an earlier secret and an earlier secret-file, and the other way round', () => {
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

  it('that everybody may read and that hold a secret are warned about by name', () => {
    using fixture = fixtureWith({});
    fixture.write('conf.d/open.toml', '[provisioning]\nkey = "k"\nsecret = "s"\n', 0o644);
    const { warnings } = fixture.load(SERVER);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /conf\.d\/open\.toml contains the provisioning secret/);
  });
});

describe('what differs between two configurations', () => {
  const pair = (secret: string) => `${SERVER}[provisioning]\nkey = "k"\nsecret = "${secret}"\n`;
  const CASES: readonly (readonly [
    what: string,
    before: string,
    after: string,
    tables: readonly string[],
  ])[] = [
    ['nothing', pair('s'), pair('s'), []],
    ['the words, not the meaning', `${SERVER}${interval('60s')}`, `${SERVER}${interval('1m')}`, []],
    ['a secret, which nobody sees', pair('s'), pair('t'), ['provisioning']],
    ['a pair that is gone', pair('s'), SERVER, ['provisioning']],
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
    it(`is told by the names of its tables: ${what}`, () => {
      using fixture = new ConfigFixture();
      assert.deepEqual(changedTables(fixture.load(before).config, fixture.load(after).config), tables);
    });
  }
});
