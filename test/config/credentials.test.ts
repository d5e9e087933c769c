/** provisioning.after-success: which file the agent may delete, and that its absence is no problem afterwards. */

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ConfigFixture, SERVER } from './config-fixture.ts';

const FORGET = `${SERVER}[provisioning]\nkey = "k"\nafter-success = "forget"\n`;

describe('the secret file', () => {
  it('is in the configuration when the secret came from one that the operator named, in file or variable', () => {
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

  it('is not, when the secret came from elsewhere; with forget that is a warning that says where it stays', () => {
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

  it('that is gone is no problem with forget: there is no pair any more, and the path is told apart', () => {
    using fixture = new ConfigFixture();
    const named = fixture.write('named', 's3');
    const toml = `${FORGET}secret-file = "${named}"`;
    assert.equal(fixture.load(toml).deletedSecretFile, undefined);
    rmSync(named);
    const { config, warnings, deletedSecretFile: forgottenSecretFile } = fixture.load(toml);
    assert.equal(config.provisioning, undefined);
    assert.deepEqual(warnings, []);
    assert.equal(forgottenSecretFile, named);
    assert.equal(fixture.load(toml.replace('key = "k"\n', '')).deletedSecretFile, named);
  });

  it('that is gone is a problem with keep, as is one that is there and wrong with either', () => {
    using fixture = new ConfigFixture();
    const missing = `${FORGET}secret-file = "/nowhere/at/all"`;
    assert.match(fixture.sentences(missing.replace('forget', 'keep'))[0] ?? '', /which does not exist/);
    const empty = `${FORGET}secret-file = "${fixture.write('empty', '')}"`;
    assert.match(fixture.sentences(empty)[0] ?? '', /provisioning\.secret = \*\*\* is empty/);
    assert.match(fixture.sentences(FORGET)[0] ?? '', /secret-file is missing, but provisioning\.key is set/);
  });
});
