/** Weeks in virtual time: a few dozen gateways. */

import { testWeeks } from './week-tests.ts';

testWeeks([
  { gateways: 20, days: 2, seed: 1 },
  { gateways: 4, days: 7, seed: 1001 },
  { gateways: 6, days: 2, seed: 1, oftenKilled: true },
  { gateways: 8, days: 2, seed: 1, diskFault: 'read-only' },
  { gateways: 4, days: 2, seed: 5, oftenKilled: true, diskFault: 'read-only' },
  { gateways: 4, days: 2, seed: 1003, oftenKilled: true, diskFault: 'io' },
]);
