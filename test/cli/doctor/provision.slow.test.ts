/** `firstlight doctor --provision` as a process, then the real agent: time-outs, kills, rejections, permissions. */

import assert from 'node:assert/strict';
import { chown, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { until } from '../../until.ts';
import { expectRecovery, gateway, isPending, LONG, provisionings } from './provision-harness.ts';

const NOBODY = 65_534;

const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];

const asRoot = process.getuid?.() === 0 ? false : 'needs root, to give files away';

describe('doctor --provision on a gateway that has never started', () => {
  test('with credentials it sends no request', LONG, async () => {
    await using at = await gateway();
    await at.runDoctor();
    const before = await at.record();
    const { code, provisioning: check } = await at.runDoctor();
    assert.deepEqual([code, check?.status], [0, 'pass']);
    assert.match(check?.observed ?? '', /not needed, nothing was sent: .* gw-test/);
    assert.deepEqual(await at.record(), before);
    assert.equal(provisionings(at), 1);
  });

  test('a wrong secret is reported with the sentence of the agent', LONG, async () => {
    await using at = await gateway({ secret: 'another-secret' });
    const { code, provisioning: check } = await at.runDoctor();
    assert.deepEqual([code, check?.status], [1, 'fail']);
    assert.match(check?.observed ?? '', /FL-PROVISIONING-KEY-UNKNOWN/);
    assert.match(check?.meaning ?? '', /does not know the provisioning key and secret/);
    assert.match(check?.action ?? '', /compare provisioning\.key/);
    assert.equal(at.sandbox.devices().length, 0);
  });

  test('a taken name is reported after the token was verified', LONG, async () => {
    await using at = await gateway();
    at.sandbox.core.admin.createDevice({ name: 'gw-test', token: 'anothers' });
    const { code, provisioning: check } = await at.runDoctor();
    assert.deepEqual([code, check?.status], [1, 'fail']);
    assert.match(check?.observed ?? '', /FL-PROVISIONING-DECLINED.*does not accept the proposed token/);
    assert.equal(at.sandbox.devices().length, 1);
  });
});

describe('a provisioning request without a response', () => {
  test('times out with the intent on disk, from which the agent continues', LONG, async () => {
    await using at = await gateway();
    at.setKnobs({ dead: true });
    const { code, provisioning: check } = await at.runDoctor('5');
    assert.deepEqual([code, check?.status], [1, 'fail']);
    assert.match(check?.observed ?? '', /FL-SERVER-TIMEOUT, no response in 5 s/);
    assert.match(check?.meaning ?? '', /the intent is on disk, and the agent continues from there/);
    const proposed = await at.record();
    assert.equal(proposed['state'], 'pending');
    at.setKnobs({ dead: false });
    await using agent = await expectRecovery(at);
    assert.ok(agent.output.some((line) => line.includes('event=FL-PROVISIONING-RESUMED')));
    assert.equal((await at.record())['token'], proposed['token']);
  });

  test('Ctrl-C cancels it with exit code 130 and loses nothing', LONG, async () => {
    await using at = await gateway();
    at.setKnobs({ dead: true });
    await using doctor = at.doctor();
    await until(isPending(at));
    doctor.kill('SIGINT');
    assert.equal(await doctor.exit(), 130);
    assert.match(doctor.output.join('\n'), /cancelled before the server responded; the intent is on disk/);
    at.setKnobs({ dead: false });
    await using _agent = await expectRecovery(at);
  });

  test('a kill after the device was created loses no token', LONG, async () => {
    await using at = await gateway();
    at.setKnobs({ lossOut: 1 });
    {
      await using doctor = at.doctor();
      await until(() => at.sandbox.devices().length === 1);
      doctor.kill('SIGKILL');
      await doctor.exit();
    }
    assert.equal((await at.record())['state'], 'pending');
    at.setKnobs({ lossOut: 0 });
    await using agent = await expectRecovery(at);
    assert.ok(agent.output.some((line) => line.includes('event=FL-TOKEN-KNOWN')));
  });
});

describe('doctor --provision and other users', () => {
  test('a running agent is not disturbed and provisions by itself', LONG, async () => {
    await using at = await gateway();
    await using _agent = await expectRecovery(at);
    const { code, provisioning: check } = await at.runDoctor();
    assert.deepEqual([code, check?.status], [0, 'skip']);
    assert.equal(check?.observed, 'the agent is running and provisions by itself; see firstlight status');
    assert.equal(provisionings(at), 1);
  });

  test('files written by root belong to the user of the service', { ...LONG, skip: asRoot }, async () => {
    await using at = await gateway();
    await mkdir(at.state, { mode: 0o700 });
    for (const path of [at.path, at.file, at.state]) await chown(path, NOBODY, NOBODY);
    assert.equal((await at.runDoctor()).provisioning?.status, 'pass');
    for (const name of await readdir(at.state)) {
      const { uid, gid, mode } = await stat(join(at.state, name));
      assert.deepEqual([uid, gid, mode & 0o777], [NOBODY, NOBODY, 0o600], name);
    }
    await using agent = at.agent(AS_NOBODY);
    await agent.line('first telemetry accepted');
    assert.equal(at.sandbox.devices().length, 1);
  });

  test('a user without write permission sends nothing and gets the reason', {
    ...LONG,
    skip: asRoot,
  }, async () => {
    await using at = await gateway();
    await mkdir(at.state, { mode: 0o700 });
    for (const path of [at.path, at.file]) await chown(path, NOBODY, NOBODY);
    const { code, provisioning: check } = await at.runDoctor('60', AS_NOBODY);
    assert.deepEqual([code, check?.status], [1, 'fail']);
    assert.match(`${check?.observed} ${check?.action}`, /permission denied.* run (it )?with sudo/);
    assert.equal(provisionings(at), 0);
  });
});
