/** Compiled by compiled.mjs: samples of this host, one a second. Parameter: `samples`. */

import { setTimeout as sleep } from 'node:timers/promises';
import { hostClock } from '../../src/host/clock/clock.ts';
import { openSensors } from '../../src/sensors/sampler.ts';
import { readParameters } from './parameters.mjs';

const { samples } = readParameters();
const log = { debug() {}, info() {}, warn() {}, error() {} };
const sensors = openSensors({ root: '/', clock: hostClock(), log });
const captured = [];
await sensors.sample(); // the first sample has no rates
while (captured.length < samples) {
  await sleep(1000);
  captured.push(await sensors.sample());
}
console.log(JSON.stringify(captured));
