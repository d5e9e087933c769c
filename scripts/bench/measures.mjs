/** The parts of the bench by name: each makes rows from the bundle, the sandbox and its options. */

import { measureCpu } from './cpu.mjs';
import { measureDownlink } from './downlink.mjs';
import { measureDefaultDrain, measureLiftedDrain } from './drain.mjs';
import { measureFlash } from './flash.mjs';
import { measureFullSpool } from './full-spool.mjs';
import { measureMemory } from './memory.mjs';
import { measureMillion } from './million.mjs';
import { measureRecovery } from './recovery.mjs';
import { measureRounds } from './rounds.mjs';
import { measureSensors, measureSensorsMillion } from './sensors.mjs';
import { measureStart } from './start.mjs';
import { measureStatus } from './status.mjs';
import { measureTransports } from './transports.mjs';
import { measureWire } from './wire.mjs';

export const measures = {
  start: measureStart,
  memory: (bundle, sandbox, { seconds }) => measureMemory(bundle, sandbox, seconds),
  cpu: measureCpu,
  rounds: measureRounds,
  recovery: measureRecovery,
  downlink: measureDownlink,
  sensors: measureSensors,
  'sensors-million': measureSensorsMillion,
  status: () => measureStatus(),
  wire: (bundle, sandbox, { captured }) => measureWire(bundle, sandbox, captured),
  transports: () => measureTransports(),
  flash: (bundle, sandbox, { captured }) => measureFlash(bundle, sandbox, captured),
  'full-spool': (bundle, sandbox, { captured }) => measureFullSpool(bundle, sandbox, captured),
  million: (_bundle, _sandbox, { captured }) => measureMillion(captured),
  drain: (bundle, sandbox, { captured }) => measureLiftedDrain(bundle, sandbox, captured),
  'drain-at-rate': (bundle, sandbox, { captured }) => measureDefaultDrain(bundle, sandbox, captured),
};
