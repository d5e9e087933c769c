/**
 * What a reading costs the CPU: the sampler alone, 2,000 times over, and the whole agent, sampling and
 * delivering once a second.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { flagsOfTheUnit, sleep, start } from './bench-programs.mjs';

const root = join(import.meta.dirname, '..', '..');
const SAMPLES = 2_000;
const WARM_UP = 100;
const SAMPLE_MS_MAX = 1;
const AGENT_S = 20;

export async function measureCpu(bundle, sandbox) {
  const sampler = await samplerMs();
  const agent = await agentMs(bundle, sandbox);
  return [
    { name: 'CPU per sample, the sampler alone', value: sampler, unit: 'ms', max: SAMPLE_MS_MAX },
    { name: 'CPU per reading, the whole agent', value: agent, unit: 'ms' },
  ];
}

/** The sampler, compiled from the sources as the bundle is, in a process with the flags of the agent. */
async function samplerMs() {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-bench-'));
  const outfile = join(directory, 'sampler.mjs');
  try {
    const common = { bundle: true, platform: 'node', format: 'esm', target: 'node20.19', outfile };
    await build({ ...common, stdin: { contents: PROGRAM, resolveDir: root }, logLevel: 'warning' });
    return Number(execFileSync(process.execPath, [...flagsOfTheUnit(), outfile], { encoding: 'utf8' }));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const PROGRAM = `
  import { openSensors } from './src/sensors/sampler.ts';
  import { hostClock } from './src/host/clock.ts';
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const sensors = openSensors({ root: '/', clock: hostClock(), log: silent });
  for (let sample = 0; sample < ${WARM_UP}; sample += 1) await sensors.sample();
  const before = process.cpuUsage();
  for (let sample = 0; sample < ${SAMPLES}; sample += 1) await sensors.sample();
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / 1000 / ${SAMPLES});
`;

/**
 * All threads, user and system; the kernel counts in ticks of usually 10 ms, so this is good to about 0.5 ms
 * a reading.
 */
async function agentMs(bundle, sandbox) {
  const agent = start([...flagsOfTheUnit(), bundle, ...sandbox.home({ intervalS: 1 })]);
  await agent.line('client attributes accepted');
  await sleep(1500); // the child that gathered the facts has gone; half way between two readings
  const before = cpuMsOf(agent.pid);
  await sleep(AGENT_S * 1000);
  const spentMs = cpuMsOf(agent.pid) - before;
  await agent.stop();
  return spentMs / AGENT_S;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** utime and stime, proc(5): the 14th and 15th field, counted after the name, which may hold spaces. */
function cpuMsOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}
