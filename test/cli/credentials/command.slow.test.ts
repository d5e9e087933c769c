/** The commands that change credentials, over several boots. */

import assert from 'node:assert/strict';
import { chown, copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { output, provisioned } from './command-harness.ts';

test('credentials forget needs a stopped agent and a yes, and archives the record', {
  timeout: 60_000,
}, async () => {
  await using at = await provisioned();
  const beside = await output(['credentials', 'forget', '--state', at.state, '--yes']);
  assert.deepEqual([beside.code, beside.text.includes('systemctl stop')], [75, true]);
  assert.equal(await at.agent.stop(), 0);
  const unasked = await output(['credentials', 'forget', '--state', at.state]);
  assert.deepEqual([unasked.code, unasked.text.includes('Nothing was changed')], [64, true]);
  // The state after server.url was changed and changed back.
  const earlier = join(at.state, 'credentials.aside-2026-01-01T00-00-00.000Z-elsewhere.json');
  await copyFile(join(at.state, 'credentials.json'), earlier);
  const done = await output(['credentials', 'forget', '--state', at.state, '--yes']);
  assert.equal(done.code, 0);
  assert.match(done.text, /delete the device gw-test in ThingsBoard first/);
  const names = await readdir(at.state);
  const kept = names.filter((name) => name.endsWith('-forgotten.json'));
  assert.equal(kept.length, 3);
  assert.ok(!names.includes('credentials.json') && !names.includes('credentials.backup.json'));
  assert.ok((await readFile(join(at.state, kept[0] ?? ''), 'utf8')).includes(at.token));
  assert.equal((await output(['credentials', 'show', '--state', at.state])).code, 1);
  // The name is taken: the agent reports that and does not use the forgotten credentials.
  await using again = at.run();
  await again.line('the server declined to provision this device name');
  assert.ok(!again.output.some((line) => line.includes(at.token)));
});

test('credentials set as root leaves files that the service can read', {
  timeout: 60_000,
  skip: process.getuid?.() === 0 ? false : 'needs root to give the directory away',
}, async () => {
  await using at = await provisioned();
  assert.equal(await at.agent.stop(), 0);
  for (const name of ['credentials.json', 'credentials.backup.json']) await rm(join(at.state, name));
  await chown(at.state, 65_534, 65_534);
  const tokenFile = join(at.place.path, 'token');
  await writeFile(tokenFile, `${at.token}\n`);
  const set = ['credentials', 'set', '--state', at.state, '--config', at.file, '--token-file', tokenFile];
  assert.equal((await output(set)).code, 0);
  for (const name of ['credentials.json', 'credentials.backup.json']) {
    const { uid, mode } = await stat(join(at.state, name));
    assert.deepEqual([uid, mode & 0o777], [65_534, 0o600], name);
  }
});
