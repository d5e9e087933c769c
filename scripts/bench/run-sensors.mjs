/**
 * Compiled by compiled.mjs: readings of this host, one after the other. Parameters: `profile`, `readings`, and `looks`, how often
 * heap, memory and open files are recorded meanwhile. Prints these, the CPU time per reading and the number of keys.
 */

import { readdirSync } from 'node:fs';
import { hostClock } from '../../src/host/clock/clock.ts';
import { DEFAULT_TUNING } from '../../src/sensors/runtime/tuning.ts';
import { openSensors } from '../../src/sensors/sampler.ts';
import { readParameters } from './parameters.mjs';

const WARM_UP = 200;
const MIB = 1024 * 1024;

const { profile, readings, looks = 0 } = readParameters();
const log = { debug() {}, info() {}, warn() {}, error() {} };
const tuning = { ...DEFAULT_TUNING, selection: { profile, on: [], off: [] } };
const sensors = openSensors({ root: '/', clock: hostClock(), log, tuning });
const found = { keys: 0, heapMib: [], rssMib: [], openFiles: [] };
for (let reading = 0; reading < WARM_UP; reading += 1)
  found.keys = Object.keys(await sensors.sample()).length;
const before = process.cpuUsage();
for (let reading = 1; reading <= readings; reading += 1) {
  await sensors.sample();
  if (looks > 0 && reading % (readings / looks) === 0) look();
}
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ ...found, cpuMs: (user + system) / 1000 / readings }));

function look() {
  globalThis.gc();
  const { heapUsed, rss } = process.memoryUsage();
  found.heapMib.push(heapUsed / MIB);
  found.rssMib.push(rss / MIB);
  found.openFiles.push(readdirSync('/proc/self/fd').length);
}
