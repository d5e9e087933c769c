/** Every fault of faults.ts with real processes. */

import { FAULTS } from './faults.ts';
import { testFaults } from './named-faults.ts';

testFaults(FAULTS);
