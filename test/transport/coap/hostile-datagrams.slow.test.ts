/** Hostile datagrams, in full: twice 50,000. */

import { testHostileDatagrams } from './hostile-datagrams.ts';

testHostileDatagrams(1_000);
