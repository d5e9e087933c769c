/** Endurance, in full: 100,000 posts for each way of answering. */

import { testEndurance } from './endurance.ts';

testEndurance(100_000);
