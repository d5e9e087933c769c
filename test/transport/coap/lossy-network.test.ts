/** A backlog over a lossy network, from two seeds. */

import { testLossyBacklog } from './lossy-backlog.ts';

testLossyBacklog([1, 2]);
