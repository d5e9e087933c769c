/** A tenth of the datagrams of hostile-datagrams.slow.test.ts. */

import { testHostileDatagrams } from './hostile-datagrams.ts';

testHostileDatagrams(100);
