/** Every file of every captured host, damaged in every way; and every exception is needed by one of them. */

import { HOST_NAMES, testBrokenFilesOf, testConsequencesAreNeeded } from './fuzz.ts';

for (const name of HOST_NAMES) testBrokenFilesOf(name);
testConsequencesAreNeeded();
