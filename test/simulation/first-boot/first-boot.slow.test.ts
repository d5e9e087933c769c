/** First boots in virtual time, in full: 150 of each strategy. */

import { testFirstBoots } from './first-boots.ts';

testFirstBoots(150);
