/** The parts of the bench by name, each from the bundle, the sandbox and what else it needs to rows. */

import { measureCpu } from './bench-cpu.mjs';
import { measureDefaultDrain, measureLiftedDrain } from './bench-drain.mjs';
import { measureFlash } from './bench-flash.mjs';
import { measureFullSpool } from './bench-full-spool.mjs';
import { measureMemory } from './bench-memory.mjs';
import { measureMillion } from './bench-million.mjs';
import { measureRoads } from './bench-roads.mjs';
import { measureSensors, measureSensorsMillion } from './bench-sensors.mjs';
import { measureStart } from './bench-start.mjs';
import { measureStatus } from './bench-status.mjs';
import { measureWire } from './bench-wire.mjs';

export const measures = {
  start: measureStart,
  memory: (bundle, sandbox, { seconds }) => measureMemory(bundle, sandbox, seconds),
  cpu: measureCpu,
  sensors: measureSensors,
  'sensors-million': measureSensorsMillion,
  status: () => measureStatus(),
  wire: (bundle, sandbox, { captured }) => measureWire(bundle, sandbox, captured),
  roads: () => measureRoads(),
  flash: (bundle, sandbox, { captured }) => measureFlash(bundle, sandbox, captured),
  'full-spool': (bundle, sandbox, { captured }) => measureFullSpool(bundle, sandbox, captured),
  million: (_bundle, _sandbox, { captured }) => measureMillion(captured),
  drain: (bundle, sandbox, { captured }) => measureLiftedDrain(bundle, sandbox, captured),
  'drain-at-rate': (bundle, sandbox, { captured }) => measureDefaultDrain(bundle, sandbox, captured),
};
