/** Every number and line of every file of every captured host, damaged as counters are. */

import { testDamagedCountersOf } from './counter-fuzz.ts';
import { HOST_NAMES } from './helpers/moving-host.ts';

for (const name of HOST_NAMES) testDamagedCountersOf(name);
