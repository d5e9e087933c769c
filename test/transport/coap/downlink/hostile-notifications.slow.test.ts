/** Hostile notifications, in full; FUZZ_INPUTS chooses another number. */

import { testHostileNotifications } from './hostile-notifications.ts';

testHostileNotifications(Number(process.env['FUZZ_INPUTS'] ?? 100_000));
