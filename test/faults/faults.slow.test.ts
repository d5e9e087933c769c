/** Every fault of faults.ts, brought about. */

import { FAULTS } from './faults.ts';
import { testFaults } from './named-faults.ts';

testFaults(FAULTS);
