/** An agent whose program files were replaced while it ran. */

import assert from 'node:assert/strict';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from './agent-process.ts';
import { copyTo } from './corrupt-install-harness.ts';

const PROVISIONING = { key: 'demo-key', secret: 'demo-secret' };

describe('an agent whose program files were replaced', () => {
  /** Starts with the endpoints `before`, removes the program files, then needs a part that is not loaded yet. */
  async function bereaved(
    before: (sandbox: Sandbox) => string,
    need: (sandbox: Sandbox, settings: (url: string) => Promise<string>) => Promise<void>,
  ): Promise<void> {
    await using place = await tempDir();
    await using sandbox = await openSandbox({ provisioning: PROVISIONING });
    const { main, code } = copyTo(join(place.path, 'program'));
    const state = join(place.path, 'state');
    const settings = (url: string) =>
      place.config(
        `[server]\nurl = ${url}\nspread = "0s"\n[telemetry]\ninterval = "1s"\n[provisioning]\nkey = "demo-key"\nsecret = "demo-secret"\n`,
      );
    const config = await settings(before(sandbox));
    await using agent = AgentProcess.run(['run', '--config', config, '--state', state], {}, [], main);
    await agent.line('client attributes accepted');
    renameSync(code, `${code}-of-before`);
    await need(sandbox, async (url) => {
      const file = await settings(url);
      agent.kill('SIGHUP');
      return file;
    });
    assert.match(await agent.line('FL-INSTALLATION-CORRUPT'), /restart it.*detail="Cannot find module/);
    assert.equal(await agent.exit(), 72);
    const output = agent.output.join('\n');
    assert.doesNotMatch(output, /FL-INTERNAL-ERROR|\n\s+at /);
    const { token } = JSON.parse(readFileSync(join(state, 'credentials.json'), 'utf8')) as { token: string };
    assert.ok(!output.includes(token));
  }

  const coap = ({ coapPort }: Sandbox) => `"coap://127.0.0.1:${coapPort}"`;

  const http = ({ httpPort }: Sandbox) => `"http://127.0.0.1:${httpPort}"`;

  it('exits with 72 if a new configuration needs a missing part', () =>
    bereaved(coap, async (sandbox, reload) => void (await reload(http(sandbox)))));

  it('exits with 72 if another endpoint needs a missing part', () =>
    bereaved(
      (sandbox) => `[${coap(sandbox)}, ${http(sandbox)}]`,
      async (sandbox) => sandbox[Symbol.asyncDispose](),
    ));
});
