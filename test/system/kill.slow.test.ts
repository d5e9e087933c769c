/** More kills of a first boot. */

import { testFirstBootKills } from './first-boot-kills.ts';

testFirstBootKills(10);
