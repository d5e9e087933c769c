/** Compiled by compiled.mjs: the CPU time of one sample of this host, ms. */

import { hostClock } from '../../src/host/clock/clock.ts';
import { openSensors } from '../../src/sensors/sampler.ts';

const SAMPLES = 2_000;
const WARM_UP = 100;

const log = { debug() {}, info() {}, warn() {}, error() {} };
const sensors = openSensors({ root: '/', clock: hostClock(), log });
for (let sample = 0; sample < WARM_UP; sample += 1) await sensors.sample();
const before = process.cpuUsage();
for (let sample = 0; sample < SAMPLES; sample += 1) await sensors.sample();
const { user, system } = process.cpuUsage(before);
console.log((user + system) / 1000 / SAMPLES);
