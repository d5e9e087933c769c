/**
 * Compiled by compiled.mjs: the CPU time of one write of the status file, ms, and its size, with full lists of events. Parameter:
 * `directory`, which should be in memory, as /run is.
 */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { EVENTS } from '../../src/core/events/catalogue.ts';
import { EventHistory } from '../../src/core/status/event-history.ts';
import { hostClock } from '../../src/host/clock/clock.ts';
import { STATUS_FILE, StatusFile } from '../../src/host/systemd/status-file.ts';
import { readParameters } from './parameters.mjs';

const WRITES = 2_000;
const WARM_UP = 100;

const { directory } = readParameters();
const clock = hostClock();
const log = { debug() {}, info() {}, warn() {}, error() {} };
const eventHistory = new EventHistory(clock);
for (const event of Object.keys(EVENTS).slice(0, 25))
  eventHistory.record(
    event,
    EVENTS[event].level,
    EVENTS[event].sentence,
    'server 203.0.113.7:5683 does not answer',
  );
const file = new StatusFile({ directory, version: '0.1.0', clock, eventHistory, log });
for (let write = 0; write < WARM_UP; write += 1) await show(write);
const before = process.cpuUsage();
for (let write = 0; write < WRITES; write += 1) await show(write);
const { user, system } = process.cpuUsage(before);
const cpuMs = (user + system) / 1000 / WRITES;
console.log(JSON.stringify({ cpuMs, bytes: statSync(join(directory, STATUS_FILE)).size }));

/** As the agent does, which compares the text before it publishes the report. */
async function show(delivered) {
  const report = {
    state: 'online',
    sinceBootMs: 1_000,
    device: 'gw-27cb096aaf99',
    credentials: 'stored',
    lastAcceptedBootMs: 1_000 + delivered,
    deliveredReadings: delivered,
    endpoint: 'coap://tb.example.com:5683',
    freshReadings: 1,
    backlogReadings: 0,
    lostReadings: 0,
    clock: 'synchronised',
    recentEvents: eventHistory.recent,
    openEvents: eventHistory.active,
    eventCounts: eventHistory.counts,
  };
  if (JSON.stringify(report) !== '') await file.publish(report);
}
