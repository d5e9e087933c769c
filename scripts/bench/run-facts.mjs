/**
 * Compiled by compiled.mjs: the facts of a reading, read with the library systeminformation. Parameter: `readings`. Prints the CPU
 * time per reading, with that of the processes the library starts, which the kernel counts in ticks.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import si from 'systeminformation';
import { readParameters } from './parameters.mjs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const { readings } = readParameters();
await reading();
const before = cpuMs();
for (let done = 0; done < readings; done += 1) await reading();
console.log((cpuMs() - before) / readings);

async function reading() {
  await si.currentLoad();
  await si.mem();
  await si.fsSize();
  await si.networkStats('*');
  await si.cpuTemperature();
  await si.processes();
  si.time();
}

/** utime, stime, cutime and cstime, proc_pid_stat(5), of this process and its ended children. */
function cpuMs() {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
  return (ticks * 1000) / ticksPerSecond;
}
