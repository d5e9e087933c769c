/** Compiled by compiled.mjs: samples of this host, one a second. */

import { setTimeout as sleep } from 'node:timers/promises';
import { hostClock } from '../../src/host/clock.ts';
import { openSensors } from '../../src/sensors/sampler.ts';
import { asked } from './asked.mjs';

const { samples } = asked();
const log = { debug() {}, info() {}, warn() {}, error() {} };
const sensors = openSensors({ root: '/', clock: hostClock(), log });
const captured = [];
await sensors.sample(); // what is a rate has no value at first
while (captured.length < samples) {
  await sleep(1000);
  captured.push(await sensors.sample());
}
console.log(JSON.stringify(captured));
