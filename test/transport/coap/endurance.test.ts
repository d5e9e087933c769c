/** Endurance, in small; endurance.slow.test.ts has the years. */

import { testEndurance } from './endurance.ts';

testEndurance(2_000);
