/**
 * `npm run bench`: memory, start, CPU, network and flash of the agent, measured with the sandbox on this host.
 *
 * Makes the bundle and runs it as the systemd unit does. A missed target is printed; the exit code is 0 all the same.
 * `--only NAME`, repeatable, runs single parts; `--seconds N` sets the time before memory is measured (60); `--json` prints JSON.
 * `rounds`, `recovery`, `downlink`, `drain-at-rate` and `sensors-million` take minutes each and run only with `--only`. A busy host
 * changes times, not memory:
 * the row `node -e 0` shows how busy it is.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare } from './lib/prepare.mjs';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
  },
});
const seconds = Number(options.seconds);
if (!(seconds >= 1 && seconds <= 86_400)) stop('--seconds must be 1 to 86400.');

/** In the order of the run. Those with `samples` need samples of this host. */
const PARTS = [
  { name: 'start', label: 'start and first telemetry, 5 first and 5 second boots' },
  { name: 'memory', label: `memory after ${seconds} s` },
  { name: 'cpu', label: 'CPU, about 25 s' },
  { name: 'rounds', label: 'CPU and garbage at the default interval, 6 min', isLong: true },
  { name: 'recovery', label: 'return of a server after three minutes, about 4 min', isLong: true },
  { name: 'downlink', label: `memory and CPU of the downlink, three times ${seconds} s`, isLong: true },
  { name: 'sensors', label: 'cost of a reading, about 20 s' },
  {
    name: 'sensors-million',
    label: 'a million readings of the sensors, about 5 min',
    isLong: true,
  },
  { name: 'status', label: 'writes of the status file, about 5 s' },
  { name: 'wire', label: 'bytes on the wire, about 15 s', samples: true },
  { name: 'transports', label: 'a post over CoAP, coaps, HTTP and HTTPS, about 45 s' },
  { name: 'flash', label: 'flash, about 1 min', samples: true },
  { name: 'full-spool', label: 'memory with a full spool, about 45 s', samples: true },
  { name: 'million', label: 'a million readings through the outbox, about 1 min', samples: true },
  { name: 'drain', label: 'delivery of a day of readings without rate limit, about 3 min', samples: true },
  {
    name: 'drain-at-rate',
    label: 'delivery of a day of readings at the default rate, about 5 min',
    samples: true,
    isLong: true,
  },
];
const SAMPLES = 20;

for (const name of options.only) {
  if (PARTS.some((part) => part.name === name)) continue;
  stop(`unknown part: --only ${name}; the parts are ${PARTS.map((part) => part.name).join(', ')}`);
}
const parts = PARTS.filter(({ name, isLong = false }) =>
  options.only.length > 0 ? options.only.includes(name) : !isLong,
);

prepare();
const directory = mkdtempSync(join(tmpdir(), 'firstlight-bench-'));
const bundle = join(directory, 'firstlight.mjs');
try {
  const bundler = join(import.meta.dirname, 'bundle.mjs');
  const { status } = spawnSync(process.execPath, [bundler, '--outfile', bundle], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('bundling failed: see the errors above');
  const { conditions, rows } = await measureAll();
  console.log(options.json ? JSON.stringify({ ...conditions, rows }, null, 2) : table(conditions, rows));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function measureAll() {
  // Loaded here because they need the libraries that prepare() installs.
  const { flagsOfTheUnit, startSandbox } = await import('./bench/programs.mjs');
  const { measures } = await import('./bench/measures.mjs');
  const { runCompiled } = await import('./bench/compiled.mjs');
  const sandbox = await startSandbox(bundle);
  try {
    if (parts.some(({ samples }) => samples)) report(`samples of this host, ${SAMPLES} s …`);
    const captured = parts.some(({ samples }) => samples)
      ? await runCompiled('capture', { samples: SAMPLES })
      : [];
    const rows = [];
    for (const { name, label } of parts) {
      report(`${label} …`);
      rows.push(...(await measures[name](bundle, sandbox, { captured, seconds })));
    }
    const chosen = options.only.map((name) => ` --only ${name}`).join('');
    const conditions = {
      command: `npm run bench -- --seconds ${seconds}${chosen}`,
      node: `${process.version} ${arch()}`,
      flags: flagsOfTheUnit(),
    };
    return { conditions, rows: rows.map(judged) };
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
    if (value === undefined) return name;
    const target = max === undefined ? '' : `  target <= ${max} ${unit}  ${met ? 'ok' : 'MISSED'}`;
    return `${name.padEnd(width)}  ${amount(value, unit).padStart(8)} ${unit.padEnd(3)}${target}`.trimEnd();
  });
  return [`Node ${node}, flags ${flags.join(' ')}`, ...lines, `Command: ${command}`].join('\n');
}

function amount(value, unit) {
  if (unit === 'MiB' || unit === 'MB' || unit === 's' || (unit === '' && value < 1000))
    return value.toFixed(1);
  return value.toFixed(unit === 'x' || (unit === 'ms' && value < 10) ? 2 : 0);
}

function report(text) {
  if (!options.json) console.error(text);
}

function stop(sentence) {
  console.error(sentence);
  process.exit(64);
}
