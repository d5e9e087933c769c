/** `firstlight doctor --provision` as a process, and the real agent after it: silence, kills, refusals, rights. */

import assert from 'node:assert/strict';
import { chown, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gateway, isPending, LONG, provisionings, recovers, until } from './provision-harness.ts';

const NOBODY = 65_534;

const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];

const asRoot = process.getuid?.() === 0 ? false : 'needs root, to give files away';

describe('a gateway that has never started', () => {
  test('with credentials makes no request for others, and says so', LONG, async () => {
    await using at = await gateway();
    await at.examined();
    const before = await at.record();
    const { code, provisioning: found } = await at.examined();
    assert.deepEqual([code, found?.status], [0, 'pass']);
    assert.match(found?.observed ?? '', /not needed, and nothing was sent: .* gw-test/);
    assert.deepEqual(await at.record(), before);
    assert.equal(provisionings(at), 1);
  });

  test('with a wrong secret hears the sentence the agent has for it', LONG, async () => {
    await using at = await gateway({ secret: 'another-secret' });
    const { code, provisioning: found } = await at.examined();
    assert.deepEqual([code, found?.status], [1, 'fail']);
    assert.match(found?.observed ?? '', /FL-PROVISIONING-KEY-UNKNOWN/);
    assert.match(found?.meaning ?? '', /does not know the provisioning key and secret/);
    assert.match(found?.action ?? '', /compare provisioning\.key/);
    assert.equal(at.sandbox.devices().length, 0);
  });

  test('whose name is taken is told so, after the server was asked whether it is its own', LONG, async () => {
    await using at = await gateway();
    at.sandbox.core.admin.createDevice({ name: 'gw-test', token: 'anothers' });
    const { code, provisioning: found } = await at.examined();
    assert.deepEqual([code, found?.status], [1, 'fail']);
    assert.match(found?.observed ?? '', /FL-PROVISIONING-DECLINED.*does not accept the proposed token/);
    assert.equal(at.sandbox.devices().length, 1);
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
      assert.deepEqual([code, found?.status], [1, 'fail']);
      assert.match(found?.observed ?? '', /FL-SERVER-TIMEOUT, no answer in 5 s/);
      assert.match(found?.meaning ?? '', /the intent is on the disk, and the agent goes on from there/);
      const proposed = await at.record();
      assert.equal(proposed['state'], 'pending');
      at.turn({ dead: false });
      await using agent = await recovers(at);
      assert.ok(agent.output.some((line) => line.includes('event=FL-PROVISIONING-RESUMED')));
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
});

describe('beside others', () => {
  test('a running agent is left alone, and does it by itself', LONG, async () => {
    await using at = await gateway();
    await using _agent = await recovers(at);
    const { code, provisioning: found } = await at.examined();
    assert.deepEqual([code, found?.status], [0, 'skip']);
    assert.equal(found?.observed, 'the agent is running and does this by itself; see firstlight status');
    assert.equal(provisionings(at), 1);
  });

  test('root leaves files that are the service’s own', { ...LONG, skip: asRoot }, async () => {
    await using at = await gateway();
    await mkdir(at.state, { mode: 0o700 });
    for (const path of [at.path, at.file, at.state]) await chown(path, NOBODY, NOBODY);
    assert.equal((await at.examined()).provisioning?.status, 'pass');
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
    assert.deepEqual([code, found?.status], [1, 'fail']);
    assert.match(`${found?.observed} ${found?.action}`, /permission denied.* run it with sudo/);
    assert.equal(provisionings(at), 0);
  });
});
