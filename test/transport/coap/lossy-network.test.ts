/** A backlog over a lossy network, from one seed. */

import { testLossyBacklog } from './helpers/lossy-backlog.ts';

testLossyBacklog([1]);
