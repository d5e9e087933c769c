/** More kills of a first boot than in kill.test.ts. */

import { testFirstBootKills } from './first-boot-kills.ts';

testFirstBootKills(10);
