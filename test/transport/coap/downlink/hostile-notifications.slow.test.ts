/** Hostile notifications, in full. */

import { testHostileNotifications } from './hostile-notifications.ts';

testHostileNotifications(100_000);
