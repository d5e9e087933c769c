/** A short endurance run; endurance.slow.test.ts has the long one. */

import { testEndurance } from './endurance.ts';

testEndurance(1_000);
