/** A few of the notifications of hostile-notifications.slow.test.ts. */

import { testHostileNotifications } from './hostile-notifications.ts';

testHostileNotifications(500);
