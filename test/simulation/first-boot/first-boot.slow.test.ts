/** First boots in virtual time: 150 of each strategy. */

import { testFirstBoots } from './first-boots.ts';

testFirstBoots(150);
