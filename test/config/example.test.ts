/** The example file and the README's table say what the code does, because they are made from it. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { renderExample, renderReadmeTable } from '../../src/config/example.ts';
import { variableOf } from '../../src/config/schema/setting.ts';
import { allSettings } from '../../src/config/schema/settings.ts';
import { Desk } from './config-fixture.ts';

it('the example file that the package installs is the one the table of settings makes', () => {
  assert.equal(readFileSync(join(process.cwd(), 'systemd/firstlight.toml'), 'utf8'), renderExample());
});

it('the example file sets nothing: it lacks the server and has no other problem', () => {
  using desk = new Desk();
  assert.deepEqual(
    desk.problems(renderExample()).map((each) => each.key),
    ['server.url'],
  );
});

it('every setting of the example file can be uncommented as it stands', () => {
  using desk = new Desk();
  // A secret and its file do not go together, nor do a token and a pair.
  const uncommented = renderExample()
    .replace(/^#(?=[a-z-]+ = |\[\[)/gm, '')
    .replace(/^(secret|token) = .*$/gm, '')
    // Certificates are read and judged; tls-files.test.ts has some.
    .replace(/^(ca|cert|key)-file = .*$/gm, '')
    .replace('/etc/firstlight/secret', desk.write('secret', 'x'))
    .replace('/etc/firstlight/token', desk.write('token', 'y'));
  assert.equal(desk.load(uncommented).config.device.token?.reveal(), 'y');
  const { config } = desk.load(uncommented.replace(/^token-file = .*$/m, ''));
  assert.equal(config.provisioning?.secret.reveal(), 'x');
  assert.equal(config.telemetry.intervalMs, 10_000);
  assert.equal(config.telemetry.deadbands.size, 2, 'what has no built-in value shows an example');
  assert.deepEqual(
    config.sensors.own.map(({ kind }) => kind),
    ['exec', 'file', 'gpio'],
  );
});

it('every setting has its line in the example and its row in the README table, with default, bound and variable', () => {
  const example = renderExample();
  const rows = renderReadmeTable().split('\n');
  for (const setting of allSettings) {
    const row = rows.find((each) => each.includes(`\`${setting.key}\``)) ?? '';
    assert.ok(row.includes(variableOf(setting)), `row of ${setting.key}: ${row}`);
    assert.ok(row.includes(setting.default || '–'), `row of ${setting.key}: ${row}`);
    assert.ok(example.includes(variableOf(setting)), setting.key);
  }
  assert.equal(rows.length, allSettings.length + 3);
});

it('every row of the README table has five cells, also where a bound holds a bar', () => {
  for (const row of renderReadmeTable().trimEnd().split('\n')) {
    assert.equal(row.split(/(?<!\\)\|/).length, 7, row);
  }
});
