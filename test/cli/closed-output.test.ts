/** Commands whose output pipe is closed (`| head`): they exit silently with 141; the agent continues. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { tempDir } from '../app/agent-process.ts';
import { MAIN } from '../paths.ts';

/** Opens a pipe for writing whose reader has closed it. */
const INTO_CLOSED_PIPE = 'mkfifo "$0"; (: <"$0") & exec 4>"$0"; wait; exec "$@" >&4 4>&-';

/** Runs the command with stdout into `pipe`, which has no reader. */
function unread(pipe: string, commandLine: readonly string[]) {
  const child = spawn('sh', ['-c', INTO_CLOSED_PIPE, pipe, process.execPath, MAIN, ...commandLine], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const complaints = text(child.stderr);
  return { child, complaints, closed: once(child, 'close') };
}

const PORTS = ['--coap-port', '0', '--http-port', '0', '--admin-port', '0'];
const COMMANDS = [
  '--help',
  'status --runtime AT',
  'status --json --runtime AT',
  'status --watch --runtime AT',
  'doctor --config CONFIG --state AT/state --runtime AT',
  'doctor --json --config CONFIG --state AT/state --runtime AT',
  'sample',
  'sample --json',
  'sample --watch',
  'sample --explain load1',
  'config show --config CONFIG',
  'config show --json --config CONFIG',
  'config check CONFIG',
  'config explain clock.trust',
  'credentials show --state AT/state',
  'credentials forget --yes --state AT/state',
  'import --from AT/nothing --to AT',
  'prepare-image --check --root AT',
  `sandbox ${PORTS.join(' ')}`,
  'demo --seconds 60',
];

describe('a command with a closed output pipe exits silently with 141:', { concurrency: 4 }, () => {
  for (const command of COMMANDS) {
    it(command, { timeout: 60_000 }, async () => {
      await using place = await tempDir();
      const config = await place.config('[server]\nurl = "coap://127.0.0.1:9"\n');
      const words = command.replaceAll('CONFIG', config).replaceAll('AT', place.path).split(' ');
      const { child, complaints, closed } = unread(join(place.path, 'pipe'), words);
      await closed;
      assert.deepEqual([child.exitCode, await complaints], [141, '']);
    });
  }
});

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
  while (!(await stored()).includes('"provisioned"')) assert.equal(child.exitCode, null);
  child.kill('SIGTERM');
  await closed;
  assert.deepEqual([child.exitCode, await complaints], [0, '']);
});
