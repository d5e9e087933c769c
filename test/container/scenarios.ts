/**
 * All scenarios, in stages: those of one stage run side by side. What waits goes with what waits; what takes both cores goes where nobody looks at
 * seconds.
 */

import { fullAtFirstBoot, fullLater, readOnlyAtFirstBoot, readOnlyLater } from './bad-disks.ts';
import { cutsOfFirstBoots, cutsOfRunning, cutsOfUpgrades } from './cuts.ts';
import { converseBlocked, kills, sampleBlocked, stopped } from './hangs.ts';
import { hardening } from './hardening.ts';
import { life } from './life.ts';
import { ownSensors } from './own-sensors.ts';
import { linkDown, lossyRoad, nameServerAbsent, serverAbsent } from './roads.ts';
import { saysWhy } from './says-why.ts';
import type { Scenario } from './scenario.ts';

export const STAGES: readonly (readonly Scenario[])[] = [
  // Alone, because it is timed.
  [{ name: 'life', run: life }],
  [
    { name: 'hardening', run: hardening },
    { name: 'own-sensors', run: ownSensors },
    { name: 'says-why', run: saysWhy },
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
