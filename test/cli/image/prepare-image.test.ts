/** `firstlight prepare-image`: what it removes, what it keeps, and when it removes nothing. */

import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { prepareImage } from '../../../src/cli/image/prepare-image.ts';
import { acquireLock } from '../../../src/credentials/lock.ts';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from '../../app/agent-process.ts';

const TOKEN = 'gatewayTokenOf20Chars';
const RECORD = JSON.stringify({
  version: 1,
  state: 'provisioned',
  server: 'coap://h',
  deviceName: 'gw-master',
  sinceMs: 1,
  token: TOKEN,
});
const OURS = [
  'credentials.json',
  'credentials.backup.json',
  'credentials.aside-2026-11-22T03-18-00.000Z-elsewhere.json',
  'credentials.json.tmp-1234567890abcdef',
  'remote-settings.json',
  'remote-settings.json.damaged',
];

class Gateway implements Disposable {
  readonly state = mkdtempSync(join(tmpdir(), 'firstlight-prepare-'));

  constructor() {
    for (const name of OURS) writeFileSync(join(this.state, name), RECORD, { mode: 0o600 });
    mkdirSync(join(this.state, 'update'));
    writeFileSync(join(this.state, 'update', 'record.json'), '{}');
    mkdirSync(join(this.state, 'spool'));
    writeFileSync(join(this.state, 'spool', 'segment'), 'readings');
  }

  get names(): readonly string[] {
    return readdirSync(this.state).sort();
  }

  [Symbol.dispose](): void {
    rmSync(this.state, { recursive: true, force: true });
  }
}

/** `answer`: typed at the terminal; absent: no terminal. */
async function prepare(
  state: string,
  yes: boolean,
  answer?: string,
): Promise<{ code: number; output: string }> {
  const input = Object.assign(new PassThrough(), { isTTY: answer !== undefined });
  const out = new PassThrough();
  const output: string[] = [];
  out.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  if (answer !== undefined) input.end(`${answer}\n`);
  const code = await prepareImage({ state, yes }, { input, out }, new AbortController().signal);
  return { code, output: output.join('') };
}

test('prepare-image removes credentials, copies, spool and temporary files', async () => {
  using gateway = new Gateway();
  writeFileSync(join(gateway.state, 'notes.txt'), 'mine');
  const { code, output } = await prepare(gateway.state, true);
  assert.equal(code, 0, output);
  assert.deepEqual(gateway.names, ['notes.txt']);
  assert.match(output, /Not removed.*notes\.txt/);
  assert.match(output, /the device "gw-master" on the server: delete it/);
  assert.match(output, /journalctl|hostname/);
  assert.ok(!output.includes(TOKEN));
});

test('prepare-image asks, and only yes confirms', async () => {
  for (const answer of ['', 'n', 'no', 'yess']) {
    using gateway = new Gateway();
    const { code, output } = await prepare(gateway.state, false, answer);
    assert.equal(code, 1, answer);
    assert.match(output, /credentials\.json[\s\S]*Nothing was changed/);
    assert.equal(gateway.names.length, OURS.length + 2);
  }
  using gateway = new Gateway();
  assert.equal((await prepare(gateway.state, false, 'Y')).code, 0);
  assert.deepEqual(gateway.names, []);
});

test('without a terminal, prepare-image needs --yes', async () => {
  using gateway = new Gateway();
  const { code, output } = await prepare(gateway.state, false);
  assert.equal(code, 64);
  assert.match(output, /--yes/);
  assert.equal(gateway.names.length, OURS.length + 2);
});

test('prepare-image removes nothing while an agent runs, and all after its end', {
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning: { key: 'key', secret: 'a-secret' } });
  await using place = await tempDir();
  const state = join(place.path, 'state');
  const file = await place.config(
    `[server]\nurl = "coap://127.0.0.1:${sandbox.coapPort}"\nspread = "0s"\n[provisioning]\nkey = "key"\nsecret = "a-secret"\n`,
  );
  await using agent = AgentProcess.run(['run', '--config', file, '--state', state]);
  await agent.line('telemetry accepted');
  const { code, output } = await prepare(state, true);
  assert.equal(code, 75);
  assert.match(
    output,
    /The agent is still running, so nothing was removed: another agent is already running/,
  );
  assert.ok(existsSync(join(state, 'credentials.json')));
  await agent.stop();
  assert.equal((await prepare(state, true)).code, 0);
  assert.deepEqual(readdirSync(state), []);
});

test('prepare-image removes planted links without following them', async () => {
  using gateway = new Gateway();
  const victims = mkdtempSync(join(tmpdir(), 'firstlight-victims-'));
  try {
    for (const name of ['linked', 'named-twice', 'in-directory'])
      writeFileSync(join(victims, name), 'precious');
    rmSync(join(gateway.state, 'spool'), { recursive: true });
    symlinkSync(victims, join(gateway.state, 'spool'));
    symlinkSync(join(victims, 'linked'), join(gateway.state, 'credentials.aside-1-bad.json'));
    linkSync(join(victims, 'named-twice'), join(gateway.state, 'credentials.aside-2-bad.json'));
    rmSync(join(gateway.state, 'credentials.json'));
    mkdirSync(join(gateway.state, 'credentials.json'));
    assert.equal((await prepare(gateway.state, true)).code, 0);
    assert.deepEqual(gateway.names, []);
    for (const name of readdirSync(victims))
      assert.equal(readFileSync(join(victims, name), 'utf8'), 'precious');
    assert.equal(readdirSync(victims).length, 3);
  } finally {
    rmSync(victims, { recursive: true, force: true });
  }
});

test('a missing and a locked state directory are reported', async () => {
  using gateway = new Gateway();
  const none = await prepare(join(gateway.state, 'none'), true);
  assert.equal(none.code, 0);
  assert.match(none.output, /there are no credentials and no readings in/);
  assert.ok(!existsSync(join(gateway.state, 'none')));
  await using _lock = await acquireLock(gateway.state);
  assert.equal((await prepare(gateway.state, true)).code, 75);
});
