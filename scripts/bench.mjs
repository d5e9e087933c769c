/**
 * `npm run bench`: what the agent costs in memory, start, CPU and network, measured against the sandbox on
 * this host.
 *
 * Makes the bundle first and runs it as the systemd unit does. It measures and does not judge: a missed
 * target is said, and the exit code is 0 all the same. `--seconds N` shortens the memory's 60 s, `--json`
 * prints JSON. A busy host makes times worse, not memory: see the row `node -e 0` for how busy.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureCpu } from './lib/bench-cpu.mjs';
import { measureMemory } from './lib/bench-memory.mjs';
import { flagsOfTheUnit, startSandbox } from './lib/bench-programs.mjs';
import { measureStart } from './lib/bench-start.mjs';
import { measureWire } from './lib/bench-wire.mjs';
import { prepare } from './lib/prepare.mjs';

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, json: { type: 'boolean', default: false } },
});
const seconds = Number(options.seconds);
if (!(seconds >= 1 && seconds <= 86_400)) {
  console.error('--seconds is the time before memory is measured: 1 to 86400.');
  process.exit(64);
}

prepare();
const directory = mkdtempSync(join(tmpdir(), 'firstlight-bench-'));
const bundle = join(directory, 'firstlight.mjs');
try {
  const bundler = join(import.meta.dirname, 'bundle.mjs');
  const { status } = spawnSync(process.execPath, [bundler, '--outfile', bundle], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('the bundle cannot be made: see the errors above');
  const { conditions, rows } = await measureAll();
  console.log(options.json ? JSON.stringify({ ...conditions, rows }, null, 2) : table(conditions, rows));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function measureAll() {
  const sandbox = await startSandbox(bundle);
  try {
    say('start and first telemetry, 5 first and 5 second boots …');
    const start = await measureStart(bundle, sandbox);
    say(`memory after ${seconds} s …`);
    const memory = await measureMemory(bundle, sandbox, seconds);
    say('CPU, about 25 s …');
    const cpu = await measureCpu(bundle, sandbox);
    say('bytes on the wire, about 15 s …');
    const wire = await measureWire(bundle, sandbox);
    const conditions = {
      command: `npm run bench -- --seconds ${seconds}`,
      node: `${process.version} ${arch()}`,
      flags: flagsOfTheUnit(),
    };
    return { conditions, rows: [...memory, ...start, ...cpu, ...wire].map(judged) };
  } finally {
    await sandbox.stop();
  }
}

function judged(row) {
  if (row.max === undefined) return row;
  return { ...row, met: row.value <= row.max };
}

function table({ command, node, flags }, rows) {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.map(({ name, value, unit, max, met }) => {
    const target = max === undefined ? '' : `  target <= ${max} ${unit}  ${met ? 'ok' : 'MISSED'}`;
    return `${name.padEnd(width)}  ${amount(value, unit).padStart(7)} ${unit.padEnd(3)}${target}`.trimEnd();
  });
  return [`Node ${node}, flags ${flags.join(' ')}`, ...lines, `Again: ${command}`].join('\n');
}

function amount(value, unit) {
  if (unit === 'MiB' || unit === '') return value.toFixed(1);
  return value.toFixed(unit === 'x' || (unit === 'ms' && value < 10) ? 2 : 0);
}

function say(text) {
  if (!options.json) console.error(text);
}
