/** provisioning.after-success: the file that the agent may delete, and its absence afterwards. */

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ConfigFixture, SERVER } from './config-fixture.ts';

const FORGET = `${SERVER}[provisioning]\nkey = "k"\nafter-success = "forget"\n`;

describe('the path of the secret file', () => {
  it('is in the configuration if a setting or a variable names it', () => {
    using fixture = new ConfigFixture();
    const named = fixture.write('named', 's3\n');
    const inFile = fixture.load(`${FORGET}secret-file = "${named}"`);
    const environment = { FIRSTLIGHT_PROVISIONING_SECRET_FILE: named };
    const inVariable = fixture.load(FORGET, { environment });
    for (const { config, warnings } of [inFile, inVariable]) {
      assert.equal(config.provisioning?.secretFile, named);
      assert.equal(config.provisioning?.afterSuccess, 'forget');
      assert.deepEqual(warnings, []);
    }
    const keep = fixture.load(`${SERVER}[provisioning]\nkey = "k"\nsecret-file = "${named}"`).config;
    assert.deepEqual([keep.provisioning?.afterSuccess, keep.provisioning?.secretFile], ['keep', named]);
  });

  it('is absent for a secret from another source, which is a warning with forget', () => {
    using fixture = new ConfigFixture();
    const inline = fixture.load(`${FORGET}secret = "s3cret"`);
    assert.equal(inline.config.provisioning?.secretFile, undefined);
    assert.match(
      inline.warnings.join('\n'),
      /the agent cannot delete the secret in \S+firstlight\.toml:6: move it/,
    );
    const credential = fixture.write('firstlight.secret', 's3cret');
    const rest = { credentialsDirectory: fixture.directory };
    const ofSystemd = fixture.load(`${FORGET}secret-file = "/nowhere/at/all"`, rest);
    assert.equal(ofSystemd.config.provisioning?.secretFile, undefined);
    assert.ok(ofSystemd.warnings.join('\n').includes(`the secret in ${credential}: `));
    assert.doesNotMatch(JSON.stringify([inline, ofSystemd]), /s3cret/);
    assert.deepEqual(fixture.load(FORGET.replace('forget', 'keep'), rest).warnings, []);
  });

  it('is returned separately if the file is missing with forget', () => {
    using fixture = new ConfigFixture();
    const named = fixture.write('named', 's3');
    const toml = `${FORGET}secret-file = "${named}"`;
    assert.equal(fixture.load(toml).deletedSecretFile, undefined);
    rmSync(named);
    const { config, warnings, deletedSecretFile } = fixture.load(toml);
    assert.equal(config.provisioning, undefined);
    assert.deepEqual(warnings, []);
    assert.equal(deletedSecretFile, named);
    assert.equal(fixture.load(toml.replace('key = "k"\n', '')).deletedSecretFile, named);
  });

  it('is a problem if the file is missing with keep, or invalid with either', () => {
    using fixture = new ConfigFixture();
    const missing = `${FORGET}secret-file = "/nowhere/at/all"`;
    assert.match(fixture.sentences(missing.replace('forget', 'keep'))[0] ?? '', /which does not exist/);
    const empty = `${FORGET}secret-file = "${fixture.write('empty', '')}"`;
    assert.match(fixture.sentences(empty)[0] ?? '', /provisioning\.secret = \*\*\* is empty/);
    assert.match(fixture.sentences(FORGET)[0] ?? '', /secret-file is missing, but provisioning\.key is set/);
  });
});

describe('a provisioning key without a secret', () => {
  const canLackSecret = { canLackSecret: true };
  const KEY_ALONE = FORGET.replace('forget', 'keep');

  it('is left to a caller that can do without', () => {
    using fixture = new ConfigFixture();
    const { config, missingSecret } = fixture.load(KEY_ALONE, canLackSecret);
    assert.equal(config.provisioning, undefined);
    assert.equal(missingSecret, fixture.problems(KEY_ALONE)[0]?.sentence);
    const named = `${KEY_ALONE}secret-file = "/nowhere/at/all"`;
    assert.equal(fixture.load(named, canLackSecret).missingSecret, fixture.problems(named)[0]?.sentence);
  });

  it('is reported with the other problems', () => {
    using fixture = new ConfigFixture();
    const sentences = fixture.sentences(`${KEY_ALONE}[log]\nlevel = "loud"\n`, canLackSecret);
    assert.equal(sentences.length, 2);
    assert.match(sentences.join(), /secret-file is missing.*log\.level|log\.level.*secret-file is missing/);
  });

  it('is a problem if the key is missing instead', () => {
    using fixture = new ConfigFixture();
    const text = KEY_ALONE.replace('key = "k"', 'secret = "s"');
    assert.match(fixture.sentences(text, canLackSecret).join(), /provisioning\.key is missing/);
  });
});
