/** Every file of every captured host, damaged in every way; and every exception is needed by one of them. */

import { testBrokenFilesOf, testConsequencesAreNeeded } from './fuzz.ts';
import { HOST_NAMES } from './helpers/moving-host.ts';

for (const name of HOST_NAMES) testBrokenFilesOf(name);
testConsequencesAreNeeded();
