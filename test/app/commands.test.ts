/** Commands of the server with the real agent, over CoAP and HTTP: replies, programs, a reload, a restart, secrets. */

import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from './agent-process.ts';

const SECRET = 'the-secret-of-this-profile';
const DEVICE = 'gw-test';

const configOf = (url: string) => `[server]
url = "${url}"
spread = "0s"
[provisioning]
key = "k"
secret = "${SECRET}"
[device]
name = "${DEVICE}"
[telemetry]
interval = "1s"
[clock]
trust = "system"
[remote]
commands = "reload"
[[command.exec]]
name = "count"
command = ["/bin/sh", "-c", "echo x >> $0; wc -l < $0", "{file}"]
parameters = ["file=/tmp/firstlight-test-[A-Za-z0-9]+/count"]
`;

/** Sends a command and resolves with the reply. */
async function call(
  sandbox: Sandbox,
  method: string,
  params: unknown = {},
): Promise<Record<string, unknown>> {
  const answer = await sandbox.core.admin.sendRpc(DEVICE, { method, params, timeoutMs: 30_000 } as never);
  assert.ok(answer.ok, JSON.stringify(answer));
  assert.equal(answer.value.status, 'replied', `${method}: ${JSON.stringify(answer.value)}`);
  return JSON.parse(answer.value.status === 'replied' ? answer.value.reply : '') as Record<string, unknown>;
}

for (const scheme of ['coap', 'http'] as const) {
  describe(`commands over ${scheme}`, () => {
    it('are executed once, answered and logged without what they carry', { timeout: 90_000 }, async () => {
      await using sandbox = await openSandbox({ provisioning: { key: 'k', secret: SECRET } });
      await using place = await tempDir();
      const [state, runtime] = [join(place.path, 'state'), join(place.path, 'run')];
      await mkdir(runtime);
      const port = scheme === 'coap' ? sandbox.coapPort : sandbox.httpPort;
      const file = await place.config(configOf(`${scheme}://127.0.0.1:${port}`));
      const run = () =>
        AgentProcess.run(['run', '--config', file, '--state', state], { RUNTIME_DIRECTORY: runtime });
      await using agent = run();
      await agent.line('first telemetry accepted');
      assert.equal((await call(sandbox, 'ping'))['pong'], true);
      const counter = join(place.path, 'count');
      assert.deepEqual(await call(sandbox, 'count', { file: counter }), { output: '1\n' });
      assert.equal((await call(sandbox, 'count', { file: '/etc/passwd' }))['code'], 'bad-parameters');
      assert.equal((await call(sandbox, 'reboot'))['code'], 'not-allowed');
      assert.equal((await call(sandbox, 'status'))['running'], true);
      const config = JSON.stringify(await call(sandbox, 'config'));
      assert.match(config, /telemetry\.interval/);
      assert.deepEqual(await call(sandbox, 'reload'), { reloading: true });
      await agent.line('FL-CONFIG-UNCHANGED');
      assert.equal(await readFile(counter, 'utf8'), 'x\n');
      // Before the stop, which may interrupt a post: its reading is sent again with the same timestamp.
      assert.equal(sandbox.stats().points.duplicatePoints, 0);
      // A new process of the same boot listens again and does not repeat what ran.
      assert.equal(await agent.stop(), 0);
      await using second = run();
      await second.line('first telemetry accepted');
      assert.equal((await call(sandbox, 'version'))['architecture'], process.arch);
      const everything = [...agent.output, ...second.output, config].join('\n');
      for (const secret of [SECRET, counter]) assert.ok(!everything.includes(secret), secret);
    });
  });
}
