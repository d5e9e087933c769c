/** Commands whose output pipe is closed (`| head`): they exit silently with 141; the agent continues. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { tempDir } from '../app/agent-process.ts';
import { until } from '../until.ts';
import { closedOutputTests, unread } from './closed-output-harness.ts';

closedOutputTests(['status --watch --runtime AT', 'sample --json']);

it('the agent continues with a closed output pipe, because journald can restart', {
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning: { key: 'k', secret: 's' } });
  await using place = await tempDir();
  const config = await place.config(
    `[server]\nurl = "coap://127.0.0.1:${sandbox.coapPort}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "s"\n`,
  );
  const state = join(place.path, 'state');
  const { child, complaints, closed } = unread(join(place.path, 'pipe'), [
    'run',
    '--config',
    config,
    '--state',
    state,
  ]);
  const stored = () => readFile(join(state, 'credentials.json'), 'utf8').catch(() => '');
  await until(async () => {
    assert.equal(child.exitCode, null);
    return (await stored()).includes('"provisioned"');
  });
  child.kill('SIGTERM');
  await closed;
  assert.deepEqual([child.exitCode, await complaints], [0, '']);
});
