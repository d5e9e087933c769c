/** The example file is what the table of settings makes. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { renderExample } from '../../src/config/example.ts';
import { variableOf } from '../../src/config/schema/setting.ts';
import { allSettings } from '../../src/config/schema/settings.ts';
import { ConfigFixture } from './config-fixture.ts';

it('the example file that the package installs is the one the table of settings makes', () => {
  assert.equal(readFileSync(join(process.cwd(), 'systemd/firstlight.toml'), 'utf8'), renderExample());
});

it('the example file sets nothing: it lacks the server and has no other problem', () => {
  using fixture = new ConfigFixture();
  assert.deepEqual(
    fixture.problems(renderExample()).map((each) => each.key),
    ['server.url'],
  );
});

it('every setting of the example file can be uncommented as it stands', () => {
  using fixture = new ConfigFixture();
  // A secret and its file do not go together, nor do a token and a pair.
  const uncommented = renderExample()
    .replace(/^#(?=[a-z-]+ = |\[\[)/gm, '')
    .replace(/^(secret|token) = .*$/gm, '')
    // Certificates are read and judged; tls-files.test.ts has some.
    .replace(/^(ca|cert|key)-file = .*$/gm, '')
    .replace('/etc/firstlight/secret', fixture.write('secret', 'x'))
    .replace('/etc/firstlight/token', fixture.write('token', 'y'));
  assert.equal(fixture.load(uncommented).config.device.token?.reveal(), 'y');
  const { config } = fixture.load(uncommented.replace(/^token-file = .*$/m, ''));
  assert.equal(config.provisioning?.secret.reveal(), 'x');
  assert.equal(config.telemetry.intervalMs, 10_000);
  assert.equal(config.telemetry.deadbands.size, 2, 'what has no built-in value shows an example');
  assert.deepEqual(
    config.sensors.custom.map(({ kind }) => kind),
    ['exec', 'file', 'gpio'],
  );
});

it('names every setting with its environment variable in the example file', () => {
  const example = renderExample();
  for (const setting of allSettings) assert.ok(example.includes(variableOf(setting)), setting.key);
});
