/** `firstlight doctor --provision` as a process, and the real agent after it: whatever becomes of the one, the gateway ends as one device. */

import assert from 'node:assert/strict';
import { chown, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Knobs } from '../../src/sandbox/core/types.ts';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess, workshop } from './agent-process.ts';

const provisioning = { key: 'the-key', secret: 'the-secret-of-this-profile' };
const NOBODY = 65_534;
const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
const FILES = ['credentials.json', 'credentials.backup.json'];
const asRoot = process.getuid?.() === 0 ? false : 'needs root, to give files away';
const LONG = { timeout: 120_000 };

interface Check {
  readonly check: string;
  readonly mark: string;
  readonly seen: string;
  readonly means?: string;
  readonly todo?: string;
}

/** A gateway that has never started, and its server. */
async function gateway({ secret = provisioning.secret, more = '' } = {}) {
  const sandbox = await openSandbox({ provisioning });
  const place = await workshop();
  const state = join(place.path, 'state');
  const file = await place.config(
    `[server]\nurl = "coap://127.0.0.1:${sandbox.coapPort}"\nspread = "0s"\n[provisioning]\nkey = "${provisioning.key}"\nsecret = "${secret}"\n${more}\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n`,
  );
  const places = ['--config', file, '--state', state];
  const outputs: string[] = [];
  const doctor = (seconds = '60', within: readonly string[] = []) =>
    AgentProcess.run(
      ['doctor', '--json', `--provision=${seconds}`, ...places, '--runtime', place.path],
      {},
      within,
    );
  return {
    sandbox,
    path: place.path,
    state,
    file,
    outputs,
    doctor,
    agent: (within: readonly string[] = []) => AgentProcess.run(['run', ...places], {}, within),
    turn: (knobs: Partial<Knobs>) => assert.deepEqual(sandbox.setKnobs(knobs) ?? [], []),
    async examined(seconds?: string, within?: readonly string[]) {
      await using command = doctor(seconds, within);
      const code = await command.exit();
      const text = command.output.join('\n');
      for (const secretOne of [secret, provisioning.key, ...sandbox.devices().map(({ token }) => token)])
        assert.ok(secretOne === null || !text.includes(String(secretOne)), 'a secret is in the output');
      const { checks } = JSON.parse(text) as { readonly checks: readonly Check[] };
      const of = (name: string) => checks.find(({ check }) => check === name);
      return { code, provisioning: of('provisioning'), token: of('token') };
    },
    async record(): Promise<Readonly<Record<string, unknown>>> {
      return JSON.parse(await readFile(join(state, 'credentials.json'), 'utf8'));
    },
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

type Gateway = Awaited<ReturnType<typeof gateway>>;

/** The agent starts, gets in, and delivers as the one device there is. */
async function recovers({ agent, sandbox, record }: Gateway): Promise<AgentProcess> {
  const running = agent();
  await running.line('first telemetry accepted');
  assert.deepEqual(
    sandbox.devices().map(({ name, token }) => [name, token]),
    [['gw-test', (await record())['token']]],
  );
  return running;
}

function provisionings({ sandbox }: Gateway): number {
  const asked = Object.entries(sandbox.stats().requests).filter(([what]) => what.startsWith('provision '));
  return asked.reduce((sum, [, count]) => sum + count, 0);
}

/** Resolves when it is so, which the test's own time-out bounds. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

const isPending = (at: Gateway) => async (): Promise<boolean> => {
  const { state } = await at.record().catch((): Readonly<Record<string, unknown>> => ({}));
  return state === 'pending';
};

describe('a gateway that has never started', () => {
  test('is provisioned, and the agent goes on with that token and asks for no other', LONG, async () => {
    await using at = await gateway();
    const { code, provisioning: found, token } = await at.examined();
    assert.equal(code, 0);
    assert.equal(found?.mark, 'tick');
    assert.match(
      found?.seen ?? '',
      new RegExp(`gw-test at coap://127.0.0.1:${at.sandbox.coapPort}; the agent will use this token`),
    );
    assert.equal(token?.mark, 'tick');
    for (const name of FILES) assert.equal((await stat(join(at.state, name))).mode & 0o777, 0o600);
    assert.deepEqual((await readdir(at.state)).sort(), [...FILES].sort());
    await using agent = await recovers(at);
    assert.ok(agent.output.some((line) => line.includes('credentials found')));
    assert.ok(!agent.output.some((line) => line.includes('event=FL-PROVISIONING')));
  });

  test('with credentials makes no request for others, and says so', LONG, async () => {
    await using at = await gateway();
    await at.examined();
    const before = await at.record();
    const { code, provisioning: found } = await at.examined();
    assert.deepEqual([code, found?.mark], [0, 'tick']);
    assert.match(found?.seen ?? '', /not needed, and nothing was sent: .* gw-test/);
    assert.deepEqual(await at.record(), before);
    assert.equal(provisionings(at), 1);
  });

  test('with a wrong secret hears the sentence the agent has for it', LONG, async () => {
    await using at = await gateway({ secret: 'another-secret' });
    const { code, provisioning: found } = await at.examined();
    assert.deepEqual([code, found?.mark], [1, 'cross']);
    assert.match(found?.seen ?? '', /FL-NOT-FOUND/);
    assert.match(found?.means ?? '', /does not know the provisioning key and secret/);
    assert.match(found?.todo ?? '', /compare provisioning\.key/);
    assert.equal(at.sandbox.devices().length, 0);
  });

  test('whose name is taken is told so, after the server was asked whether it is its own', LONG, async () => {
    await using at = await gateway();
    at.sandbox.core.admin.createDevice({ name: 'gw-test', token: 'anothers' });
    const { code, provisioning: found } = await at.examined();
    assert.deepEqual([code, found?.mark], [1, 'cross']);
    assert.match(found?.seen ?? '', /FL-DECLINED.*our token is not known there/);
    assert.equal(at.sandbox.devices().length, 1);
  });

  test('whose token the server is to choose is left to the agent', LONG, async () => {
    await using at = await gateway({ more: 'credentials = "server-generated"' });
    const { provisioning: found } = await at.examined();
    assert.equal(found?.mark, 'dash');
    assert.match(found?.seen ?? '', /nothing was sent: .*can strand the gateway; start the agent/);
    assert.equal(provisionings(at), 0);
  });
});

describe('a request that gets no answer', () => {
  test(
    'ends with the time there is, the intent stays on the disk, and the agent goes on from it',
    LONG,
    async () => {
      await using at = await gateway();
      at.turn({ dead: true });
      const { code, provisioning: found } = await at.examined('5');
      assert.deepEqual([code, found?.mark], [1, 'cross']);
      assert.match(found?.seen ?? '', /FL-SILENT, no answer in 5 s/);
      assert.match(found?.means ?? '', /the intent is on the disk, and the agent goes on from there/);
      const proposed = await at.record();
      assert.equal(proposed['state'], 'pending');
      at.turn({ dead: false });
      await using agent = await recovers(at);
      assert.ok(agent.output.some((line) => line.includes('event=FL-RESUMED')));
      assert.equal((await at.record())['token'], proposed['token']);
    },
  );

  test('is given up at Ctrl-C, exit code 130, with nothing lost', LONG, async () => {
    await using at = await gateway();
    at.turn({ dead: true });
    await using doctor = at.doctor();
    await until(isPending(at));
    doctor.kill('SIGINT');
    assert.equal(await doctor.exit(), 130);
    assert.match(doctor.output.join('\n'), /stopped before the server answered; the intent is on the disk/);
    at.turn({ dead: false });
    await using _agent = await recovers(at);
  });

  test('and is killed after the server has made the device strands nothing', LONG, async () => {
    await using at = await gateway();
    at.turn({ lossOut: 1 });
    {
      await using doctor = at.doctor();
      await until(() => at.sandbox.devices().length === 1);
      doctor.kill('SIGKILL');
      await doctor.exit();
    }
    assert.equal((await at.record())['state'], 'pending');
    at.turn({ lossOut: 0 });
    await using agent = await recovers(at);
    assert.ok(agent.output.some((line) => line.includes('event=FL-TOKEN-KNOWN')));
  });

  test('and is killed as soon as the intent is on the disk strands nothing', LONG, async () => {
    await using at = await gateway();
    {
      await using doctor = at.doctor();
      await until(isPending(at));
      doctor.kill('SIGKILL');
      await doctor.exit();
    }
    await using _agent = await recovers(at);
  });
});

describe('beside others', () => {
  test('a running agent is left alone, and does it by itself', LONG, async () => {
    await using at = await gateway();
    await using _agent = await recovers(at);
    const { code, provisioning: found } = await at.examined();
    assert.deepEqual([code, found?.mark], [0, 'dash']);
    assert.equal(found?.seen, 'the agent is running and does this by itself; see firstlight status');
    assert.equal(provisionings(at), 1);
  });

  test('root leaves files that are the service’s own', { ...LONG, skip: asRoot }, async () => {
    await using at = await gateway();
    await mkdir(at.state, { mode: 0o700 });
    for (const path of [at.path, at.file, at.state]) await chown(path, NOBODY, NOBODY);
    assert.equal((await at.examined()).provisioning?.mark, 'tick');
    for (const name of await readdir(at.state)) {
      const { uid, gid, mode } = await stat(join(at.state, name));
      assert.deepEqual([uid, gid, mode & 0o777], [NOBODY, NOBODY, 0o600], name);
    }
    await using agent = at.agent(AS_NOBODY);
    await agent.line('first telemetry accepted');
    assert.equal(at.sandbox.devices().length, 1);
  });

  test('a user who may not write there sends nothing, and reads why', { ...LONG, skip: asRoot }, async () => {
    await using at = await gateway();
    await mkdir(at.state, { mode: 0o700 });
    for (const path of [at.path, at.file]) await chown(path, NOBODY, NOBODY);
    const { code, provisioning: found } = await at.examined('60', AS_NOBODY);
    assert.deepEqual([code, found?.mark], [1, 'cross']);
    assert.match(`${found?.seen} ${found?.todo}`, /the rights do not allow it.* run it with sudo/);
    assert.equal(provisionings(at), 0);
  });
});
