/** `firstlight doctor --provision` as a process, then the real agent: in every case the gateway is one device in the end. */

import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { until } from '../../until.ts';
import { expectRecovery, gateway, isPending, LONG, provisionings } from './provision-harness.ts';

const FILES = ['credentials.json', 'credentials.backup.json'];

describe('doctor --provision on a gateway that has never started', () => {
  test('provisions it, and the agent uses that token', LONG, async () => {
    await using at = await gateway();
    const { code, provisioning: check, token } = await at.runDoctor();
    assert.equal(code, 0);
    assert.equal(check?.status, 'pass');
    assert.match(
      check?.observed ?? '',
      new RegExp(`gw-test at coap://127.0.0.1:${at.sandbox.coapPort}; the agent will use this token`),
    );
    assert.equal(token?.status, 'pass');
    for (const name of FILES) assert.equal((await stat(join(at.state, name))).mode & 0o777, 0o600);
    assert.deepEqual((await readdir(at.state)).sort(), [...FILES].sort());
    await using agent = await expectRecovery(at);
    assert.ok(agent.output.some((line) => line.includes('credentials found')));
    assert.ok(!agent.output.some((line) => line.includes('event=FL-PROVISIONING-STARTED')));
  });

  test('leaves a server-generated token to the agent', LONG, async () => {
    await using at = await gateway({ more: 'credentials = "server-generated"' });
    const { provisioning: check } = await at.runDoctor();
    assert.equal(check?.status, 'skip');
    assert.match(
      check?.observed ?? '',
      /nothing was sent: .*can leave the gateway without its token; start the agent/,
    );
    assert.equal(provisionings(at), 0);
  });
});

describe('a provisioning request without a response', () => {
  test('a kill as soon as the intent is on disk loses no token', LONG, async () => {
    await using at = await gateway();
    {
      await using doctor = at.doctor();
      await until(isPending(at));
      doctor.kill('SIGKILL');
      await doctor.exit();
    }
    await using _agent = await expectRecovery(at);
  });
});
