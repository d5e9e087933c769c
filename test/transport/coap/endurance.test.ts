/** A short endurance run; endurance.slow.test.ts has the long one, with every way of answering. */

import { PATTERNS, testEndurance } from './endurance.ts';

testEndurance(1_000, PATTERNS.slice(0, 2));
