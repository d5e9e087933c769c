/** Loading conf leaves the process its signals: proven by real processes that get a SIGTERM in the midst of their work. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { loadConf } from '../../src/credentials/load-conf.ts';

/** What a child says and how it ends, when SIGTERM comes as soon as it is ready. */
async function runAndTerminate(argument: string) {
  const file = join(import.meta.dirname, 'signal-child.js');
  const child = spawn(process.execPath, [file, argument], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    if (!output.includes('ready') && `${output}${text}`.includes('ready')) child.kill('SIGTERM');
    output += text;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { output: output, code, signal };
}

it('a process that wrote its credentials finishes its work after SIGTERM', async () => {
  const above = mkdtempSync(join(tmpdir(), 'firstlight-signal-'));
  const outcome = await runAndTerminate(above);
  rmSync(above, { recursive: true });
  assert.deepEqual(outcome, { output: 'ready finished', code: 0, signal: null });
});

it('the same process that loads conf by itself does not: this is what the fence is for', async () => {
  assert.deepEqual(await runAndTerminate('raw'), { output: 'ready ', code: null, signal: 'SIGTERM' });
});

it('loading it leaves no listener of its own for any signal, and none of ours is lost', async () => {
  const names = Object.keys(constants.signals) as NodeJS.Signals[];
  const ours = () => {};
  process.on('SIGTERM', ours);
  process.once('SIGHUP', ours);
  const listening = () =>
    names.flatMap((name) => process.listeners(name).map((listener) => [name, listener]));
  const before = listening(); // Node 24's test runner has one for SIGUSR2
  await loadConf();
  await loadConf();
  const after = listening();
  process.off('SIGTERM', ours);
  process.off('SIGHUP', ours);
  assert.ok(before.length >= 2);
  assert.deepEqual(after, before);
});
