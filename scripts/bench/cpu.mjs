/** CPU time per reading: of the sampler alone, 2,000 times, and of the whole agent, sampling and delivering once a second. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { runCompiled } from './compiled.mjs';
import { flagsOfTheUnit, sleep, start } from './programs.mjs';

const SAMPLE_MS_MAX = 1;
const AGENT_S = 20;

export async function measureCpu(bundle, sandbox) {
  const sampler = await runCompiled('sampler');
  const agent = await agentMs(bundle, sandbox);
  return [
    { name: 'CPU per sample, sampler only', value: sampler, unit: 'ms', max: SAMPLE_MS_MAX },
    { name: 'CPU per reading, whole agent', value: agent, unit: 'ms' },
  ];
}

/** All threads, user and system. The kernel counts in ticks of usually 10 ms, so the error is about 0.5 ms per reading. */
async function agentMs(bundle, sandbox) {
  const agent = start([...flagsOfTheUnit(), bundle, ...sandbox.home({ intervalS: 1 })]);
  await agent.event('FL-ATTRIBUTES-ACCEPTED');
  await sleep(1500); // the child process that gathered the facts has exited; half-way between two readings
  const before = cpuMsOf(agent.pid);
  await sleep(AGENT_S * 1000);
  const spentMs = cpuMsOf(agent.pid) - before;
  await agent.stop();
  return spentMs / AGENT_S;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** utime and stime, proc(5): the 14th and 15th field, counted after the name, which may hold spaces. */
export function cpuMsOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}
