/** Endurance, in full: 100,000 posts for each way of answering; ENDURANCE_POSTS chooses another number. */

import { testEndurance } from './endurance.ts';

testEndurance(Number(process.env['ENDURANCE_POSTS'] ?? 100_000));
