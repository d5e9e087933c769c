/** A backlog over a lossy network, from five seeds. */

import { testLossyBacklog } from './helpers/lossy-backlog.ts';

testLossyBacklog([1, 2, 3, 4, 5]);
