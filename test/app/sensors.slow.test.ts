/** The `agent` sensor over a reload, with each transport. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from './agent-process.ts';

const provisioning = { key: 'k', secret: 'the-secret-of-this-profile' };

for (const scheme of ['coap', 'http'] as const) {
  it(`reports deliveries, round trip and restarts over ${scheme}, also after a reload`, {
    timeout: 60_000,
  }, async () => {
    await using sandbox = await openSandbox({ provisioning });
    await using place = await tempDir();
    const port = scheme === 'coap' ? sandbox.coapPort : sandbox.httpPort;
    const toml = (more: string) =>
      `[server]\nurl = "${scheme}://127.0.0.1:${port}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${provisioning.secret}"\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n[log]\nlevel = "debug"\n[sensors]\nprofile = "minimal"\non = "agent"\n${more}`;
    const file = await place.config(toml(''));
    const commandLine = ['run', '--config', file, '--state', join(place.path, 'state')];
    const values = (key: string) =>
      sandbox.points({ device: 'gw-test', key }).map(({ value }) => Number(value));
    {
      await using agent = AgentProcess.run(commandLine, { RUNTIME_DIRECTORY: place.path });
      await agent.lines('telemetry accepted', 4);
      await place.config(toml('rename = "uptimeS=up"\n'));
      agent.kill('SIGHUP');
      await agent.line('the new settings apply changed=sensors');
      await agent.lines('telemetry accepted', 8);
      assert.equal(await agent.stop(), 0);
    }
    const delivered = values('agentDelivered');
    assert.deepEqual(
      delivered,
      delivered.toSorted((a, b) => a - b),
    );
    assert.ok((delivered.at(-1) ?? 0) >= 5, String(delivered));
    assert.ok((values('agentRoundTripMs').at(-1) ?? 0) > 0);
    assert.ok((values('agentSpoolBytes').at(-1) ?? -1) >= 0);
    assert.deepEqual([...new Set(values('agentRestarts'))], [0]);
    await using again = AgentProcess.run(commandLine, { RUNTIME_DIRECTORY: place.path });
    await again.line('first telemetry accepted');
    assert.equal(await again.stop(), 0);
    assert.deepEqual([...new Set(values('agentRestarts'))], [0, 1]);
  });
}
