/** One planted bug breaks a promise of the weeks: the simulation detects something. */

import { EXPECTATIONS, testPlantedBugs } from './planted-weeks.ts';

testPlantedBugs(EXPECTATIONS.slice(0, 1));
