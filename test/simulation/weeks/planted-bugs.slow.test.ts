/** Every planted bug turns the weeks red. */

import { EXPECTATIONS, testPlants } from './planted-weeks.ts';

testPlants(EXPECTATIONS);
