/** Every file of a Raspberry Pi 4, damaged in every way. */

import { testBrokenFilesOf } from './fuzz.ts';

testBrokenFilesOf('raspberry-pi-4');
