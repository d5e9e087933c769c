/** The example file, rendered from the table of settings. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { renderExample } from '../../src/config/example.ts';
import { variableOf } from '../../src/config/schema/setting.ts';
import { allSettings } from '../../src/config/schema/settings.ts';
import { ConfigFixture } from './config-fixture.ts';

it('systemd/firstlight.toml is up to date with the table of settings', () => {
  assert.equal(readFileSync(join(process.cwd(), 'systemd/firstlight.toml'), 'utf8'), renderExample());
});

it('the example file sets nothing and only lacks the server', () => {
  using fixture = new ConfigFixture();
  assert.deepEqual(
    fixture.problems(renderExample()).map((each) => each.key),
    ['server.url'],
  );
});

it('every setting of the example file is valid when uncommented', () => {
  using fixture = new ConfigFixture();
  // A secret and its file cannot be set together, nor a token and a provisioning key.
  const uncommented = renderExample()
    .replace(/^#(?=[a-z-]+ = |\[\[)/gm, '')
    .replace(/^(secret|token) = .*$/gm, '')
    // Certificate files are read; server.test.ts has some.
    .replace(/^(ca|cert|key)-file = .*$/gm, '')
    .replace('/etc/firstlight/secret', fixture.write('secret', 'x'))
    .replace('/etc/firstlight/token', fixture.write('token', 'y'));
  assert.equal(fixture.load(uncommented).config.device.token?.reveal(), 'y');
  const { config } = fixture.load(uncommented.replace(/^token-file = .*$/m, ''));
  assert.equal(config.provisioning?.secret.reveal(), 'x');
  assert.equal(config.telemetry.intervalMs, 10_000);
  assert.equal(config.telemetry.deadbands.size, 2, 'a setting without a default shows an example');
  assert.deepEqual(
    config.sensors.custom.map(({ kind }) => kind),
    ['exec', 'file', 'gpio'],
  );
});

it('the example file names the environment variable of every setting', () => {
  const example = renderExample();
  for (const setting of allSettings) assert.ok(example.includes(variableOf(setting)), setting.key);
});
