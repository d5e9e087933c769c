/** `firstlight sample` as a process: it ends although a device never answers, and says nothing but what its sensors say. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { it } from 'node:test';
import { OWN_MAX } from '../../src/config/own-sensors.ts';
import { copyOf } from '../sensors/captured-host.ts';
import { hungFiles } from '../sensors/hung-files.ts';
import { workshop } from './agent-process.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.js');
/** Longer than it may take on a busy machine; killed then, so that a failed test leaves nothing. */
const PATIENCE_MS = 30_000;

async function sample(words: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, 'sample', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  const [said, complained] = [text(child.stdout), text(child.stderr)];
  const [code, signal] = await once(child, 'close');
  return { said: await said, complained: await complained, code, signal };
}

it('a thread that waits for a dead device does not keep firstlight sample', {
  timeout: 60_000,
}, async (t) => {
  const root = copyOf('x86-vm', t);
  const { folder } = hungFiles(t, 1);
  const chip = join(root, 'sys/class/hwmon/hwmon0');
  mkdirSync(chip, { recursive: true });
  writeFileSync(join(chip, 'name'), 'stuck\n');
  symlinkSync(join(folder, 'hung0'), join(chip, 'temp1_input'));
  const { said, complained, code, signal } = await sample(['--all', '--json', '--root', root]);
  assert.deepEqual([code, signal], [null, 'SIGTERM']);
  assert.equal(JSON.parse(said).values.netEth0Up, true);
  assert.match(complained, /sensor=hwmon reason="no answer within the deadline"/);
});

it('as many programs as there may be are read without a word of Node’s about them', {
  timeout: 60_000,
}, async () => {
  await using place = await workshop();
  const names = Array.from({ length: OWN_MAX.exec }, (_, at) => `own${at}`);
  const own = names.map((name) => `[[sensor.exec]]\nname = "${name}"\ncommand = ["/bin/echo", "1"]\n`);
  const config = await place.config(`[server]\nurl = "coap://127.0.0.1:9"\n${own.join('')}`);
  const { said, complained } = await sample(['--json', '--config', config]);
  const values = JSON.parse(said).values;
  assert.deepEqual(
    names.filter((name) => values[name] !== 1),
    [],
  );
  assert.equal(complained, '');
});
