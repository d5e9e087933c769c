/** One planted bug turns the weeks red: the simulation sees something. */

import { EXPECTATIONS, testPlants } from './planted-weeks.ts';

testPlants(EXPECTATIONS.slice(0, 1));
