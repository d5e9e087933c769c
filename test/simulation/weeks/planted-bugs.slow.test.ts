/** Every planted bug breaks a promise of the weeks. */

import { EXPECTATIONS, testPlantedBugs } from './planted-weeks.ts';

testPlantedBugs(EXPECTATIONS);
