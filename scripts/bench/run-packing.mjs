/**
 * Compiled by compiled.mjs: the payloads of a quiet and of a busy host, by the agent's own `DeltaEncoder` and packing.
 *
 * Both have the keys and sizes of this host's values, the quiet one also those of the default profile alone. Quiet: only uptime
 * and memory change, of which the default deadbands send the memory. Busy: every value changes at every reading. Parameter:
 * `captured`.
 */

import { encodeTelemetry } from '../../src/core/delivery/encode.ts';
import { describeKey } from '../../src/sensors/catalogue.ts';
import { readParameters } from './parameters.mjs';
import { defaultEncoder } from './readings.mjs';

const READINGS = 900; // thirty of the five minutes after which all values are sent
const INTERVAL_MS = 10_000;
/** With telemetry.send-every = "30s". */
const GATHERED = 3;

const [sample] = readParameters().captured;
const firstTsMs = Date.now();

const quiet = (index) => ({
  ...sample,
  uptimeS: sample.uptimeS + index * (INTERVAL_MS / 1000),
  memoryUsedPercent: Number((sample.memoryUsedPercent + (index % 7) / 10).toFixed(1)),
});
const busy = (index) =>
  Object.fromEntries(Object.entries(sample).map(([key, value]) => [key, moved(value, index)]));

const inDefaultProfile = (index) =>
  Object.fromEntries(Object.entries(quiet(index)).filter(([key]) => describeKey(key)?.profile !== 'full'));

console.log(
  JSON.stringify([
    hostOf('quiet host', quiet),
    hostOf('quiet host, default profile', inDefaultProfile),
    hostOf('busy host', busy),
  ]),
);

/** Another number of as many digits; a flag and a text stay. */
function moved(value, index) {
  if (typeof value !== 'number') return value;
  const decimals = String(value).split('.')[1]?.length ?? 0;
  const step = 10 ** -decimals;
  return Number((value + step * (1 + (index % 7))).toFixed(decimals));
}

function hostOf(host, valuesAt) {
  const encoder = defaultEncoder();
  const readings = [];
  for (let index = 0; index < READINGS; index += 1) {
    const bootMs = index * INTERVAL_MS;
    const change = encoder.next(valuesAt(index), bootMs, index === 0);
    if (change) readings.push({ tsMs: firstTsMs + bootMs, ...change });
  }
  const values = readings.reduce((sum, reading) => sum + Object.keys(reading.values).length, 0);
  const online = { messages: 0, bytes: 0 };
  for (const reading of readings) add(online, encodeTelemetry([reading]));
  const [gathered, draining] = [packedBy(GATHERED, readings), packedBy(64, readings)];
  return { host, readings: readings.length, values, online, gathered, draining };
}

/** The messages of `readings`, of which the sender has at most `count` at a time. */
function packedBy(count, readings) {
  const sum = { messages: 0, bytes: 0 };
  for (let at = 0; at < readings.length; ) {
    const packed = encodeTelemetry(readings.slice(at, at + count));
    add(sum, packed);
    at += packed.count;
  }
  return sum;
}

function add(sum, { bodies }) {
  sum.messages += bodies.length;
  for (const body of bodies) sum.bytes += Buffer.byteLength(body);
}
