/**
 * CPU time and system calls of the sampler alone, by profile, with the agent's flags; beside the same facts read by
 * systeminformation and a scrape of Debian's node exporter, if it is installed. `measureSensorsMillion`: whether heap and open
 * files stay flat over a million readings.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCompiled } from './compiled.mjs';
import { exporterCpuMs } from './exporter.mjs';

const READINGS = 2_000;
const DEFAULT_MS_MAX = 0.5;
const LIBRARY_READINGS = 20;
const SCRAPES = 50;
const TRACED = [100, 600];
const MILLION = 1_000_000;
const LOOKS = 10;
const HEAP_GROWTH_MIB_MAX = 1;

export async function measureSensors() {
  const rows = [];
  const cpuMs = {};
  for (const profile of ['default', 'full']) {
    const { cpuMs: spent, keys } = await runCompiled('sensors', { profile, readings: READINGS });
    cpuMs[profile] = spent;
    const max = profile === 'default' ? { max: DEFAULT_MS_MAX } : {};
    rows.push({
      name: `CPU per reading, profile ${profile}, ${keys} keys here`,
      value: spent,
      unit: 'ms',
      ...max,
    });
    const calls = await systemCalls(profile);
    if (calls === undefined) rows.push({ name: 'system calls: strace is not installed' });
    else rows.push({ name: `system calls per reading, profile ${profile}`, value: calls, unit: '' });
  }
  const library = await runCompiled('facts', { readings: LIBRARY_READINGS });
  rows.push({ name: 'CPU of the same facts by systeminformation', value: library, unit: 'ms' });
  rows.push({ name: 'systeminformation : profile default', value: library / cpuMs.default, unit: 'x' });
  const exporter = await exporterCpuMs(SCRAPES);
  if (exporter === undefined) return [...rows, { name: 'prometheus-node-exporter is not installed' }];
  rows.push({ name: 'CPU of one scrape of prometheus-node-exporter', value: exporter, unit: 'ms' });
  rows.push({ name: 'one scrape : profile full', value: exporter / cpuMs.full, unit: 'x' });
  return rows;
}

export async function measureSensorsMillion() {
  const parameters = { profile: 'default', readings: MILLION, looks: LOOKS };
  const { heapMib, rssMib, openFiles } = await runCompiled('sensors', parameters, {
    flags: ['--expose-gc'],
    isQuick: true,
  });
  const growth = (values) => values.at(-1) - values[0];
  return [
    {
      name: 'heap growth from 100,000 to 1,000,000 readings of the sensors',
      value: growth(heapMib),
      unit: 'MiB',
      max: HEAP_GROWTH_MIB_MAX,
    },
    { name: 'RSS growth', value: growth(rssMib), unit: 'MiB' },
    { name: 'growth of open files', value: growth(openFiles), unit: '', max: 0 },
  ];
}

/** Of one reading: the difference of a longer and a shorter run, so that the start of Node does not count. */
async function systemCalls(profile) {
  if (spawnSync('strace', ['-V'], { stdio: 'ignore' }).error) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-bench-'));
  try {
    const counted = [];
    for (const readings of TRACED) {
      const file = join(directory, String(readings));
      await runCompiled('sensors', { profile, readings }, { under: ['strace', '-f', '-c', '-o', file] });
      counted.push(totalCalls(readFileSync(file, 'utf8')));
    }
    return (counted[1] - counted[0]) / (TRACED[1] - TRACED[0]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The line "100.00 0.012 3 4711 12 total" of strace -c. */
function totalCalls(summary) {
  const line = summary.split('\n').find((each) => each.trim().endsWith(' total'));
  const calls = Number(line?.trim().split(/\s+/)[3]);
  if (!(calls > 0)) throw new Error(`strace printed:\n${summary}`);
  return calls;
}
