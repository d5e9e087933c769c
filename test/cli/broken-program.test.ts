/** A bundle whose parts are gone or torn: an upgrade replaced them below a process that goes on, or the card is bad. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess, workshop } from './agent-process.ts';

const PROVISIONING = { key: 'demo-key', secret: 'demo-secret' };
const whole = mkdtempSync(join(tmpdir(), 'firstlight-whole-'));

before(() => {
  execFileSync(process.execPath, ['scripts/bundle.mjs', '--outfile', join(whole, 'firstlight.mjs')]);
});

after(() => rmSync(whole, { recursive: true, force: true }));

/** A copy, of which a test may break what it likes. */
function copyTo(directory: string): { main: string; code: string } {
  cpSync(whole, directory, { recursive: true });
  return { main: join(directory, 'firstlight.mjs'), code: join(directory, 'code') };
}

describe('a start', () => {
  const damages: readonly [what: string, damage: (part: string) => void][] = [
    ['is gone', (part) => rmSync(part)],
    // In the middle of its first import: a cut between two statements would leave a shorter program, which Node runs.
    [
      'is torn',
      (part) => writeFileSync(part, readFileSync(part).subarray(0, readFileSync(part).indexOf('{') + 8)),
    ],
    ['is full of zeros', (part) => writeFileSync(part, Buffer.alloc(4096))],
  ];
  for (const [command, part] of [
    ['run', 'run-'],
    ['--version', 'program-'],
    ['sample', 'commands-'],
  ] as const)
    for (const [what, damage] of damages)
      it(`of which a part ${what} ends in one sentence, and no stack: ${command}`, async () => {
        await using place = await workshop();
        const { main, code } = copyTo(join(place.path, 'program'));
        const name = readdirSync(code).find((each) => each.startsWith(part)) ?? '';
        damage(join(code, name));
        const { status, stdout, stderr } = spawnSync(process.execPath, [main, command], { encoding: 'utf8' });
        assert.equal(status, 72, stderr);
        assert.equal(stdout, '');
        assert.match(stderr, /^a file of firstlight is missing or damaged \(.+\): install it again .*\n$/);
      });
});

describe('an agent whose program was replaced while it ran', () => {
  /** With the roads `before`, then without the parts of its program, and then `need` of one that is not loaded yet. */
  async function bereaved(
    before: (sandbox: Sandbox) => string,
    need: (sandbox: Sandbox, settings: (url: string) => Promise<string>) => Promise<void>,
  ): Promise<void> {
    await using place = await workshop();
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
    assert.match(await agent.line('FL-PROGRAM-BROKEN'), /start it again.*seen="Cannot find module/);
    assert.equal(await agent.exit(), 72);
    const output = agent.output.join('\n');
    assert.doesNotMatch(output, /FL-BUG|\n\s+at /);
    const { token } = JSON.parse(readFileSync(join(state, 'credentials.json'), 'utf8')) as { token: string };
    assert.ok(!output.includes(token));
  }

  const coap = ({ coapPort }: Sandbox) => `"coap://127.0.0.1:${coapPort}"`;
  const http = ({ httpPort }: Sandbox) => `"http://127.0.0.1:${httpPort}"`;

  it('says so and ends, to be started again, when another configuration needs a part', () =>
    bereaved(coap, async (sandbox, reload) => void (await reload(http(sandbox)))));

  it('says so and ends, to be started again, when another road needs a part', () =>
    bereaved(
      (sandbox) => `[${coap(sandbox)}, ${http(sandbox)}]`,
      async (sandbox) => sandbox[Symbol.asyncDispose](),
    ));
});
