/** Loading conf keeps the signal handling of the process: with real processes that receive SIGTERM while they work. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { loadConf } from '../../src/credentials/write-durably.ts';

/** The output and exit of a child that receives SIGTERM as soon as it is ready. */
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
  return { output, code, signal };
}

it('a process that wrote its credentials finishes its work after SIGTERM', async () => {
  const above = mkdtempSync(join(tmpdir(), 'firstlight-signal-'));
  const outcome = await runAndTerminate(above);
  rmSync(above, { recursive: true });
  assert.deepEqual(outcome, { output: 'ready finished', code: 0, signal: null });
});

it('a process that imports conf directly is killed by SIGTERM', async () => {
  assert.deepEqual(await runAndTerminate('raw'), { output: 'ready ', code: null, signal: 'SIGTERM' });
});

it('loadConf leaves the signal listeners of the process unchanged', async () => {
  const names = Object.keys(constants.signals) as NodeJS.Signals[];
  const own = () => {};
  process.on('SIGTERM', own);
  process.once('SIGHUP', own);
  const listening = () =>
    names.flatMap((name) => process.listeners(name).map((listener) => [name, listener]));
  const before = listening(); // Node 24's test runner has one for SIGUSR2
  await loadConf();
  await loadConf();
  const after = listening();
  process.off('SIGTERM', own);
  process.off('SIGHUP', own);
  assert.ok(before.length >= 2);
  assert.deepEqual(after, before);
});
