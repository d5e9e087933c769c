/** `firstlight status --watch` on a terminal beside the real agent: it follows the agent and restores the terminal. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from '../../app/agent-process.ts';
import { MAIN } from '../../paths.ts';

const CTRL_C = '\x03';
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const provisioning = { key: 'k', secret: 'the-secret-of-this-profile' };
const noScript = spawnSync('script', ['--version']).status === 0 ? false : 'needs the program script';

/** A command on a pseudo-terminal of script(1), whose output is read and into which keys are typed. */
class OnTerminal implements AsyncDisposable {
  shown = '';
  readonly #child: ChildProcess;
  #wake = () => {};

  constructor(commandLine: readonly string[]) {
    const command = `stty cols 100 rows 40; exec '${process.execPath}' '${MAIN}' ${commandLine.join(' ')}`;
    this.#child = spawn('script', ['-q', '-e', '-c', command, '/dev/null'], {
      env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh' },
    });
    this.#child.stdout?.on('data', (part: Buffer) => {
      this.shown += part.toString();
      this.#wake();
    });
    this.#child.once('close', () => this.#wake());
  }

  /** Resolves when the newest screen matches; rejects if the command has ended. */
  async shows(what: RegExp): Promise<string> {
    for (;;) {
      const picture = this.shown.slice(this.shown.lastIndexOf('\x1b[H'));
      if (what.test(picture)) return picture;
      if (this.#hasEnded()) throw new Error(`ended without ${what}: ${picture}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async typed(keys: string): Promise<number | null> {
    const closed = once(this.#child, 'close');
    this.#child.stdin?.write(keys);
    await closed;
    return this.#child.exitCode;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded()) return;
    const closed = once(this.#child, 'close');
    this.kill();
    await closed;
  }
}

test('status --watch follows the agent from online to offline to its end', {
  timeout: 120_000,
  skip: noScript,
}, async ({ signal }) => {
  await using sandbox = await openSandbox({ provisioning });
  await using place = await tempDir();
  const file = await place.config(
    `[server]\nurl = "coap://127.0.0.1:${sandbox.coapPort}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${provisioning.secret}"\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n`,
  );
  await using agent = AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')], {
    RUNTIME_DIRECTORY: place.path,
  });
  await using watch = new OnTerminal(['status', '--watch', '--runtime', place.path]);
  signal.addEventListener('abort', () => watch.kill(), { once: true });
  await watch.shows(/is online/);
  assert.ok(watch.shown.startsWith(ENTER), 'the alternate screen, without a cursor');
  await sandbox[Symbol.asyncDispose]();
  const offline = await watch.shows(/is offline/);
  assert.match(offline, /FL-PORT-CLOSED/);
  assert.doesNotMatch(offline, /is online/);
  assert.equal(await agent.stop(), 0);
  await watch.shows(/is not running: it was stopped/);
  assert.equal(await watch.typed(CTRL_C), 3);
  assert.ok(watch.shown.endsWith(LEAVE), 'the terminal is restored');
  const token = sandbox.devices()[0]?.token ?? 'no device';
  for (const secret of [provisioning.secret, token]) assert.ok(!watch.shown.includes(secret));
});
