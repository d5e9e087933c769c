/** The lock when 20 processes take it at once. */

import { rm } from 'node:fs/promises';
import { after, describe } from 'node:test';
import { base, testRace } from './lock-harness.ts';

after(() => rm(base, { recursive: true, force: true }));

describe('the lock', () => testRace(20));
