/** `firstlight sample`: what a person sees, what a program gets. */

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { sampleCommand } from '../../src/cli/sample.ts';
import type { Clock } from '../../src/core/ports.ts';
import { DEADLINE_MS } from '../../src/sensors/sampler.ts';
import { copyOf, type HostName, JournalDouble } from './captured-host.ts';

it('the table has a heading, bytes in units a person can read, and every column in line', async (t) => {
  const { code, lines } = await run('raspberry-pi-4', t, { json: false });
  assert.equal(code, 0);
  assert.match(lines[0] ?? '', /^KEY +VALUE +UNIT +MEANING$/);
  assert.ok(
    lines.some((line) => /^memoryAvailableBytes +3\.2 {2}GiB +memory a program could get/.test(line)),
  );
  assert.ok(lines.some((line) => /^swapUsedBytes +4\.0 {2}MiB /.test(line)));
  assert.ok(lines.some((line) => /^cpuTemperatureC +48\.7 {2}°C /.test(line)));
  assert.ok(lines.some((line) => /^netEth0RxBytesPerS +0 {2}B\/s /.test(line)));
  assert.ok(lines.some((line) => /^processCount +4 +processes/.test(line)));
  const column = lines[0]?.indexOf('MEANING') ?? -1;
  for (const line of lines) assert.match(line.slice(column - 2), /^ {2}\S/, line);
});

it('--json prints one reading with plain numbers, rates included', async (t) => {
  const { code, lines } = await run('raspberry-pi-4', t, { json: true });
  assert.equal(code, 0);
  assert.equal(lines.length, 1);
  const reading = JSON.parse(lines[0] ?? '');
  assert.equal(reading.tsMs, Date.UTC(2026, 0, 1) + 500);
  assert.equal(reading.values.memoryAvailableBytes, 3401820 * 1024);
  assert.equal(reading.values.netWlan0TxBytesPerS, 0);
});

it('a host whose /proc cannot be read shows what is left', async (t) => {
  const { code, lines } = await run('x86-vm', t, { json: true, without: ['proc', 'sys'] });
  assert.equal(code, 0);
  assert.match(lines[0] ?? '', /diskRootUsedPercent/);
});

it('a host that says nothing at all is exit code 1', async (t) => {
  const { code, lines } = await run('x86-vm', t, { json: false, without: ['.'] });
  assert.equal(code, 1);
  assert.deepEqual(lines, ['No sensor could be read.']);
});

async function run(
  host: HostName,
  t: TestContext,
  { json, without = [] }: { json: boolean; without?: readonly string[] },
) {
  const root = copyOf(host, t);
  for (const path of without) rmSync(join(root, path), { recursive: true });
  let printed = '';
  const out = {
    write: (text: string) => {
      printed += text;
    },
  };
  const code = await sampleCommand({ json, root, clock: hurriedClock(), log: new JournalDouble() }, out);
  return { code, lines: printed.trimEnd().split('\n') };
}

/**
 * The command's pause passes at once; a sensor's deadline, which is longer, never does, however slow the
 * test's host is.
 */
function hurriedClock(): Clock {
  let nowMs = 0;
  return {
    wallMs: () => Date.UTC(2026, 0, 1) + nowMs,
    monotonicMs: () => nowMs,
    bootId: 'this boot',
    bootMs: () => nowMs,
    sleep: (ms, signal) => {
      if (ms >= DEADLINE_MS)
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
      nowMs += ms;
      return Promise.resolve();
    },
  };
}
