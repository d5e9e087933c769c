/** First boots in virtual time: 150 of each strategy. */

import { testFirstBoots } from './first-boot-tests.ts';

testFirstBoots(150);
