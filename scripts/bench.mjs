/**
 * `npm run bench`: what the agent costs in memory, start, CPU, network and flash, measured against the sandbox on
 * this host.
 *
 * Makes the bundle first and runs it as the systemd unit does. It measures and does not judge: a missed
 * target is said, and the exit code is 0 all the same. `--only NAME`, which may be repeated, runs parts of it;
 * `--seconds N` shortens the memory's 60 s, `--json` prints JSON. The parts `drain-at-rate` and `sensors-million` run only
 * when they are asked for: they take five minutes each. A busy host makes times worse, not memory: see the row `node -e 0` for how busy.
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
if (!(seconds >= 1 && seconds <= 86_400))
  stop('--seconds is the time before memory is measured: 1 to 86400.');

/** In this order; `measure` gets the bundle, the sandbox, and samples of this host where it says so. */
const PARTS = [
  { name: 'start', says: 'start and first telemetry, 5 first and 5 second boots' },
  { name: 'memory', says: `memory after ${seconds} s` },
  { name: 'cpu', says: 'CPU, about 25 s' },
  { name: 'sensors', says: 'what a reading costs, about 20 s' },
  {
    name: 'sensors-million',
    says: 'a million readings of the sensors, about five minutes',
    isLong: true,
  },
  { name: 'status', says: 'writes of the status, about 5 s' },
  { name: 'wire', says: 'bytes on the wire, about 15 s', samples: true },
  { name: 'roads', says: 'a post over CoAP, HTTP and HTTPS, about 30 s' },
  { name: 'flash', says: 'flash, about a minute', samples: true },
  { name: 'full-spool', says: 'memory with a full spool, about 45 s', samples: true },
  { name: 'million', says: 'a million readings, about a minute', samples: true },
  { name: 'drain', says: 'delivery of a day offline, the limit lifted, about three minutes', samples: true },
  {
    name: 'drain-at-rate',
    says: 'delivery of a day offline, at the usual rate',
    samples: true,
    isLong: true,
  },
];
const SAMPLES = 20;

for (const name of options.only) {
  if (PARTS.some((part) => part.name === name)) continue;
  stop(`--only is one of ${PARTS.map((part) => part.name).join(', ')}, not ${name}.`);
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
  if (status !== 0) throw new Error('the bundle cannot be made: see the errors above');
  const { conditions, rows } = await measureAll();
  console.log(options.json ? JSON.stringify({ ...conditions, rows }, null, 2) : table(conditions, rows));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function measureAll() {
  // Loaded now, because they need what was installed.
  const { flagsOfTheUnit, startSandbox } = await import('./bench/programs.mjs');
  const { measures } = await import('./bench/measures.mjs');
  const { runCompiled } = await import('./bench/compiled.mjs');
  const sandbox = await startSandbox(bundle);
  try {
    if (parts.some(({ samples }) => samples)) say(`samples of this host, ${SAMPLES} s …`);
    const captured = parts.some(({ samples }) => samples)
      ? await runCompiled('capture', { samples: SAMPLES })
      : [];
    const rows = [];
    for (const { name, says } of parts) {
      say(`${says} …`);
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
  return [`Node ${node}, flags ${flags.join(' ')}`, ...lines, `Again: ${command}`].join('\n');
}

function amount(value, unit) {
  if (unit === 'MiB' || unit === 'MB' || (unit === '' && value < 1000)) return value.toFixed(1);
  return value.toFixed(unit === 'x' || (unit === 'ms' && value < 10) ? 2 : 0);
}

function say(text) {
  if (!options.json) console.error(text);
}

function stop(sentence) {
  console.error(sentence);
  process.exit(64);
}
