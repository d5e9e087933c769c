/** `firstlight credentials` as a process, beside the running agent and after it. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../app/agent-process.ts';
import { output, provisioned } from './command-harness.ts';

test('credentials show prints device, server and age, but not the token', {
  timeout: 60_000,
}, async () => {
  await using at = await provisioned();
  const { code, text } = await output(['credentials', 'show', '--state', at.state]);
  assert.equal(code, 0);
  for (const part of ['stored', 'gw-test', `coap://127.0.0.1:${at.sandbox.coapPort}`, 'ago', '***'])
    assert.ok(text.includes(part), part);
  assert.ok(!text.includes(at.token));
});

test('credentials set stores a token with which the agent delivers', {
  timeout: 60_000,
}, async () => {
  await using at = await provisioned();
  assert.equal(await at.agent.stop(), 0);
  const tokenFile = join(at.place.path, 'token');
  await writeFile(tokenFile, 'not a token at all\n');
  const set = ['credentials', 'set', '--state', at.state, '--config', at.file, '--token-file', tokenFile];
  assert.equal((await output(set)).code, 64);
  assert.equal((await output(['credentials', 'forget', '--state', at.state, '--yes'])).code, 0);
  await writeFile(tokenFile, `${at.token}\n`);
  const { code, text } = await output(set);
  assert.deepEqual([code, text.includes(at.token)], [0, false], text);
  await using again = at.run();
  await again.line('first telemetry accepted');
  assert.equal(at.sandbox.devices().length, 1);
});

test('credentials set refuses a token that a URL cannot carry and names the character', {
  timeout: 60_000,
}, async () => {
  await using place = await tempDir();
  const state = join(place.path, 'state');
  const tokenFile = join(place.path, 'token');
  const set = async (url: string, token: string) => {
    const file = await place.config(`[server]\nurl = ${url}\n[device]\nname = "gw-test"\n`);
    await writeFile(tokenFile, token);
    return output(['credentials', 'set', '--state', state, '--config', file, '--token-file', tokenFile]);
  };
  const both = '["coap://127.0.0.1", "https://tb.example.com"]';
  for (const [token, what] of [
    ['Site;12', 'contains ;, which works over coap and coaps only'],
    ['Site%12', 'contains %, which works over coap and coaps only'],
    ['Site/12', 'contains /: it must be'],
  ] as const) {
    const { code, text } = await set(both, token);
    assert.equal(code, 64, text);
    assert.ok(text.includes(what) && !text.includes(token), text);
  }
  const { code, text } = await set('"coap://127.0.0.1"', 'Site;12');
  assert.equal(code, 0, text);
  assert.match(text, /warning: the access token in \S+ contains ;, which works over coap and coaps only/);
});
