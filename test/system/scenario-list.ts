/**
 * All scenarios in stages; the scenarios of a stage run in parallel. Those that mostly wait share a stage;
 * those that load both cores run apart from those that count seconds.
 */

import type { Scenario } from './scenario.ts';
import { assignedUpdate, cutsOfReturns, cutsOfUpdates } from './scenarios/assigned-updates.ts';
import { fullAtFirstBoot, fullLater, readOnlyAtFirstBoot, readOnlyLater } from './scenarios/bad-disks.ts';
import { linkDown, lossyLink, nameServerAbsent, serverAbsent } from './scenarios/bad-networks.ts';
import { coaps, coapsCertificate } from './scenarios/coaps.ts';
import { customSensors } from './scenarios/custom-sensors.ts';
import { failureMessages } from './scenarios/failure-messages.ts';
import { kills, samplingBlocked, sessionBlocked, stopped } from './scenarios/hangs.ts';
import { hardening } from './scenarios/hardening.ts';
import { life } from './scenarios/life.ts';
import { cutsOfFirstBoots, cutsOfRunning, cutsOfUpgrades } from './scenarios/power-cuts.ts';
import {
  foreignNode,
  stateElsewhere,
  stateInMemory,
  withheldCredentials,
} from './scenarios/unusual-hosts.ts';
import { updateRequests } from './scenarios/update-requests.ts';
import { updates } from './scenarios/updates.ts';

export const STAGES: readonly (readonly Scenario[])[] = [
  // Alone, because its durations are checked.
  [{ name: 'life', run: life }],
  [
    { name: 'hardening', run: hardening },
    { name: 'custom-sensors', run: customSensors },
    { name: 'failure-messages', run: failureMessages },
    { name: 'host-credentials', run: withheldCredentials },
    { name: 'host-node', run: foreignNode },
    { name: 'host-state-elsewhere', run: stateElsewhere },
    { name: 'host-state-in-memory', run: stateInMemory },
    { name: 'kill-20', run: kills },
    { name: 'disk-full-first-boot', run: fullAtFirstBoot },
    { name: 'disk-full-later', run: fullLater },
    { name: 'read-only-first-boot', run: readOnlyAtFirstBoot },
    { name: 'read-only-later', run: readOnlyLater },
  ],
  // The updates wait for minutes, so they share this stage.
  [
    { name: 'update', run: updates },
    { name: 'update-requests', run: updateRequests },
    { name: 'assigned-update', run: assignedUpdate },
    { name: 'cut-first-boot', run: cutsOfFirstBoots },
    { name: 'cut-running', run: cutsOfRunning },
    { name: 'cut-upgrade', run: cutsOfUpgrades },
    { name: 'cut-update', run: cutsOfUpdates },
    { name: 'cut-update-return', run: cutsOfReturns },
  ],
  // These count each second without a reading.
  [
    { name: 'network-server-absent', run: serverAbsent },
    { name: 'network-names-absent', run: nameServerAbsent },
    { name: 'network-link-down', run: linkDown },
    { name: 'network-lossy', run: lossyLink },
    { name: 'coaps', run: coaps },
    { name: 'coaps-certificate', run: coapsCertificate },
    { name: 'hang-stopped', run: stopped },
    { name: 'hang-sampling', run: samplingBlocked },
    { name: 'hang-session', run: sessionBlocked },
  ],
];
