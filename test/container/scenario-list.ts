/**
 * All scenarios, in stages: those of one stage run side by side. What waits goes with what waits; what takes both cores goes where nobody looks at
 * seconds.
 */

import type { Scenario } from './scenario.ts';
import { fullAtFirstBoot, fullLater, readOnlyAtFirstBoot, readOnlyLater } from './scenarios/bad-disks.ts';
import { linkDown, lossyRoad, nameServerAbsent, serverAbsent } from './scenarios/bad-networks.ts';
import { ownSensors } from './scenarios/custom-sensors.ts';
import { failureMessages } from './scenarios/failure-messages.ts';
import { converseBlocked, kills, sampleBlocked, stopped } from './scenarios/hangs.ts';
import { hardening } from './scenarios/hardening.ts';
import { life } from './scenarios/life.ts';
import { cutsOfFirstBoots, cutsOfRunning, cutsOfUpgrades } from './scenarios/power-cuts.ts';

export const STAGES: readonly (readonly Scenario[])[] = [
  // Alone, because it is timed.
  [{ name: 'life', run: life }],
  [
    { name: 'hardening', run: hardening },
    { name: 'own-sensors', run: ownSensors },
    { name: 'says-why', run: failureMessages },
    { name: 'kill-20', run: kills },
    { name: 'disk-full-first-boot', run: fullAtFirstBoot },
    { name: 'disk-full-later', run: fullLater },
    { name: 'read-only-first-boot', run: readOnlyAtFirstBoot },
    { name: 'read-only-later', run: readOnlyLater },
  ],
  [
    { name: 'cut-first-boot', run: cutsOfFirstBoots },
    { name: 'cut-running', run: cutsOfRunning },
    { name: 'cut-upgrade', run: cutsOfUpgrades },
  ],
  // A second without a reading counts here.
  [
    { name: 'road-server-absent', run: serverAbsent },
    { name: 'road-names-absent', run: nameServerAbsent },
    { name: 'road-link-down', run: linkDown },
    { name: 'road-lossy', run: lossyRoad },
    { name: 'hang-stopped', run: stopped },
    { name: 'hang-sample', run: sampleBlocked },
    { name: 'hang-converse', run: converseBlocked },
  ],
];
