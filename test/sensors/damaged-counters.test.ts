/** Some numbers and lines of every file of a Raspberry Pi 4 and of a container, damaged as counters are. */

import { testDamagedCountersOf } from './counter-fuzz.ts';

testDamagedCountersOf('raspberry-pi-4', 20);
testDamagedCountersOf('container', 10);
