/** The limit of main.ts, for tests that run parts of the agent in their own process. Loaded by scripts/test.mjs. */

import { setMaxListeners } from 'node:events';

setMaxListeners(128);
