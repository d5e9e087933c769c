/** `firstlight credentials` as a process, beside the real agent and after it: what it shows, keeps, and never does. */

import assert from 'node:assert/strict';
import { chown, copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess, workshop } from './agent-process.ts';

const provisioning = { key: 'k', secret: 'the-secret-of-this-profile' };

function toml(coapPort: number): string {
  return `[server]\nurl = "coap://127.0.0.1:${coapPort}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${provisioning.secret}"\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n`;
}

async function said(commandLine: readonly string[]) {
  await using command = AgentProcess.run(commandLine);
  return { code: await command.exit(), text: command.output.join('\n') };
}

async function provisioned() {
  const sandbox = await openSandbox({ provisioning });
  const place = await workshop();
  const state = join(place.path, 'state');
  const file = await place.config(toml(sandbox.coapPort));
  const run = () => AgentProcess.run(['run', '--config', file, '--state', state]);
  const agent = run();
  await agent.line('first telemetry accepted');
  const token = sandbox.devices()[0]?.token ?? 'no device';
  const close = async () => {
    await agent[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  };
  return { sandbox, place, state, file, run, agent, token, [Symbol.asyncDispose]: close };
}

test('show tells device, server and age, beside a running agent, and not the token', {
  timeout: 60_000,
}, async () => {
  await using at = await provisioned();
  const { code, text } = await said(['credentials', 'show', '--state', at.state]);
  assert.equal(code, 0);
  for (const part of ['stored', 'gw-test', `coap://127.0.0.1:${at.sandbox.coapPort}`, 'ago', '***'])
    assert.ok(text.includes(part), part);
  assert.ok(!text.includes(at.token));
});

test('forget does nothing beside a running agent or without a yes; then it keeps what it forgets', {
  timeout: 60_000,
}, async () => {
  await using at = await provisioned();
  const beside = await said(['credentials', 'forget', '--state', at.state, '--yes']);
  assert.deepEqual([beside.code, beside.text.includes('systemctl stop')], [75, true]);
  assert.equal(await at.agent.stop(), 0);
  const unasked = await said(['credentials', 'forget', '--state', at.state]);
  assert.deepEqual([unasked.code, unasked.text.includes('Nothing was changed')], [64, true]);
  // As a list of URLs that was changed, and changed back, leaves it.
  const earlier = join(at.state, 'credentials.aside-2026-01-01T00-00-00.000Z-elsewhere.json');
  await copyFile(join(at.state, 'credentials.json'), earlier);
  const done = await said(['credentials', 'forget', '--state', at.state, '--yes']);
  assert.equal(done.code, 0);
  assert.match(done.text, /delete the device gw-test in ThingsBoard first/);
  const names = await readdir(at.state);
  const kept = names.filter((name) => name.endsWith('-forgotten.json'));
  assert.equal(kept.length, 3);
  assert.ok(!names.includes('credentials.json') && !names.includes('credentials.backup.json'));
  assert.ok((await readFile(join(at.state, kept[0] ?? ''), 'utf8')).includes(at.token));
  assert.equal((await said(['credentials', 'show', '--state', at.state])).code, 1);
  // The name is taken, as it said: the agent says so and is not let in with what was forgotten.
  await using again = at.run();
  await again.line('the server declined to provision this name');
  assert.ok(!again.output.some((line) => line.includes(at.token)));
});

test('set stores a token that an operator made, and the agent delivers with it', {
  timeout: 60_000,
}, async () => {
  await using at = await provisioned();
  assert.equal(await at.agent.stop(), 0);
  const tokenFile = join(at.place.path, 'token');
  await writeFile(tokenFile, 'not a token at all\n');
  const set = ['credentials', 'set', '--state', at.state, '--config', at.file, '--token-file', tokenFile];
  assert.equal((await said(set)).code, 64);
  assert.equal((await said(['credentials', 'forget', '--state', at.state, '--yes'])).code, 0);
  await writeFile(tokenFile, `${at.token}\n`);
  const { code, text } = await said(set);
  assert.deepEqual([code, text.includes(at.token)], [0, false], text);
  await using again = at.run();
  await again.line('first telemetry accepted');
  assert.equal(at.sandbox.devices().length, 1);
});

test('set as root, where the service has the directory, leaves files that the service can read', {
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
  assert.equal((await said(set)).code, 0);
  for (const name of ['credentials.json', 'credentials.backup.json']) {
    const { uid, mode } = await stat(join(at.state, name));
    assert.deepEqual([uid, mode & 0o777], [65_534, 0o600], name);
  }
});
