/** Weeks in virtual time: a few dozen gateways. */

import { costlyRepetitions } from '../../repetitions.ts';
import { testWeeks } from './week-tests.ts';

testWeeks([
  { gateways: costlyRepetitions(20), days: 2, seed: 1 },
  { gateways: costlyRepetitions(4), days: 7, seed: 1001 },
  { gateways: costlyRepetitions(6), days: 2, seed: 1, oftenKilled: true },
  { gateways: costlyRepetitions(8), days: 2, seed: 1, diskFault: 'read-only' },
  { gateways: costlyRepetitions(4), days: 2, seed: 5, oftenKilled: true, diskFault: 'read-only' },
  { gateways: costlyRepetitions(4), days: 2, seed: 1003, oftenKilled: true, diskFault: 'io' },
]);
