/** Every file of every captured host, broken in every way; and that each exception is needed by one of them. */

import { HOST_NAMES, testBrokenFilesOf, testConsequencesAreNeeded } from './fuzz.ts';

for (const name of HOST_NAMES) testBrokenFilesOf(name);
testConsequencesAreNeeded();
