/**
 * Runs inside the agent (`node --import`): notes every reading as it goes into the outbox, so that a test knows what was read, whatever
 * became of it. A line of JSON each, written at once, so that a kill loses none.
 *
 * READING_HOOK_FILE: where to; not on the disk under test.
 */

import { appendFileSync } from 'node:fs';
import { TieredOutbox } from '../../../src/outbox/outbox.ts';
import { wrap } from './wrap-function.ts';

const file = process.env['READING_HOOK_FILE'] ?? '/dev/null';

wrap(TieredOutbox.prototype, 'append', ([reading]) => {
  appendFileSync(file, `${JSON.stringify(reading)}\n`);
  return undefined;
});
