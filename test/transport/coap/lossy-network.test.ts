/** A backlog over a lossy road, from two seeds. */

import { testLossyBacklog } from './lossy-backlog.ts';

testLossyBacklog([1, 2]);
