/** `firstlight config` as a process: all problems at once, each value with its source, no secret in the output. */

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { allSettings } from '../../../src/config/schema/settings.ts';
import { AgentProcess, tempDir } from '../../app/agent-process.ts';

const SECRET = 'a-secret-nobody-may-see';
const GOOD = `[server]\nurl = "coap://things.example"\n[provisioning]\nkey = "k"\nsecret = "${SECRET}"\n`;

async function output(commandLine: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  await using command = AgentProcess.run(commandLine, environment);
  const code = await command.exit();
  const text = command.output.join('\n');
  assert.ok(!text.includes(SECRET));
  return { code, text };
}

test('config check accepts a valid file and reports every problem of an invalid one', {
  timeout: 30_000,
}, async () => {
  await using place = await tempDir();
  const file = await place.config(GOOD);
  const good = await output(['config', 'check', file]);
  assert.deepEqual([good.code, good.text.includes('valid')], [0, true]);
  await writeFile(file, `${GOOD}[telemetry]\ninterval = "ten"\n[log]\nlevle = "info"\n`);
  const bad = await output(['config', 'check', file]);
  assert.equal(bad.code, 78);
  assert.match(bad.text, /:7: telemetry\.interval = "ten" is not a duration/);
  assert.match(bad.text, /log\.levle.*log\.level/);
});

test('config show names the source of each value', {
  timeout: 30_000,
}, async () => {
  await using place = await tempDir();
  const file = await place.config(GOOD);
  const dropIn = join(place.path, 'conf.d', '50-site.toml');
  const credentials = join(place.path, 'credentials');
  await mkdir(join(place.path, 'conf.d'));
  await mkdir(credentials);
  await writeFile(dropIn, '[log]\nlevel = "warn"\n');
  await writeFile(join(credentials, 'firstlight.secret'), SECRET, { mode: 0o600 });
  const { code, text } = await output(['config', 'show', '--config', file, '--json'], {
    CREDENTIALS_DIRECTORY: credentials,
    FIRSTLIGHT_TELEMETRY_INTERVAL: '20s',
  });
  assert.equal(code, 0);
  const { values, sources } = JSON.parse(text) as Record<string, Record<string, string>>;
  const of = (key: string) => [values?.[key], sources?.[key]];
  assert.deepEqual(of('server.url'), ['"coap://things.example"', `${file}:2`]);
  assert.deepEqual(of('log.level'), ['"warn"', `${dropIn}:2`]);
  assert.deepEqual(of('telemetry.interval'), ['"20s"', 'FIRSTLIGHT_TELEMETRY_INTERVAL']);
  assert.deepEqual(of('clock.trust'), ['"synchronised"', 'default']);
  assert.deepEqual(of('provisioning.secret'), ['***', join(credentials, 'firstlight.secret')]);
  const table = await output(['config', 'show', '--config', file]);
  for (const { key } of allSettings) assert.ok(table.text.includes(key), key);
});

describe('with settings of the server', () => {
  const STORED = {
    version: 1,
    values: {
      'telemetry.interval': { text: '30s', sinceMs: Date.UTC(2026, 10, 30, 8) },
      'sensors.interval': { text: 'gone=5m', sinceMs: 1 },
    },
    rejected: { 'server.url': 'coap://dead.example' },
  };

  test('config show names the attribute and since when it counts', { timeout: 30_000 }, async () => {
    await using place = await tempDir();
    const file = await place.config(`${GOOD}[telemetry]\ninterval = "20s"\n`);
    await writeFile(join(place.path, 'remote-settings.json'), JSON.stringify(STORED), { mode: 0o600 });
    const where = ['--config', file, '--state', place.path];
    const { text } = await output(['config', 'show', ...where, '--json']);
    const { values, sources } = JSON.parse(text) as Record<string, Record<string, string>>;
    const since = 'shared attribute telemetryInterval, since 2026-11-30T08:00:00.000Z';
    assert.deepEqual([values?.['telemetry.interval'], sources?.['telemetry.interval']], ['"30s"', since]);
    assert.equal(sources?.['sensors.interval'], 'default');
    const table = await output(['config', 'show', ...where]);
    assert.match(table.text, new RegExp(`^telemetry.interval +"30s" +${since}$`, 'm'));
    const explained = await output(['config', 'explain', 'telemetry.interval', ...where]);
    assert.ok(explained.text.includes(`now        "30s" (${since})`), explained.text);
    assert.ok(explained.text.includes('attribute  telemetryInterval'), explained.text);
  });

  test('config check says what counts, what does not fit and what was taken back', {
    timeout: 30_000,
  }, async () => {
    await using place = await tempDir();
    const file = await place.config(GOOD);
    await writeFile(join(place.path, 'remote-settings.json'), JSON.stringify(STORED), { mode: 0o600 });
    const { code, text } = await output(['config', 'check', file, '--state', place.path]);
    assert.equal(code, 0);
    assert.match(
      text,
      /note: telemetry\.interval = "30s" comes from the shared attribute telemetryInterval, since/,
    );
    assert.match(text, /warning: shared attribute sensorsInterval: .*names gone.*; it does not count/);
    assert.match(text, /note: shared attribute serverUrl: .*"coap:\/\/dead\.example" was taken back/);
    await writeFile(file, `${GOOD}[remote]\nsettings = "off"\n`);
    const off = await output(['config', 'check', file, '--state', place.path]);
    assert.match(off.text, /remote\.settings is "off", so stored settings of the server do not count/);
    assert.doesNotMatch(off.text, /comes from/);
  });

  test('config check reports a file that is not used', { timeout: 30_000 }, async () => {
    await using place = await tempDir();
    const file = await place.config(GOOD);
    const path = join(place.path, 'remote-settings.json');
    await writeFile(path, '{"version":9}');
    const { code, text } = await output(['config', 'check', file, '--state', place.path]);
    assert.equal(code, 0);
    assert.ok(text.includes(`note: ${path} has version 9 of a newer agent`), text);
  });
});

test('config explain describes a setting and suggests one for a mistyped key', {
  timeout: 30_000,
}, async () => {
  await using place = await tempDir();
  const file = await place.config(GOOD);
  const { code, text } = await output(['config', 'explain', 'telemetry.interval', '--config', file]);
  assert.equal(code, 0);
  for (const part of ['1s to 24h', '10s', 'FIRSTLIGHT_TELEMETRY_INTERVAL', 'default'])
    assert.ok(text.includes(part), part);
  const mistyped = await output(['config', 'explain', 'telemetry.intervall']);
  assert.equal(mistyped.code, 64);
  assert.match(mistyped.text, /did you mean telemetry\.interval\?/);
});
