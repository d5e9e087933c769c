/**
 * Runs inside the agent (`node --import`): writes every reading that enters the outbox to a file, one line of
 * JSON each, at once, so that a kill loses none.
 *
 * READING_HOOK_FILE: that file; it must not be on the disk under test.
 */

import { appendFileSync } from 'node:fs';
import { TieredOutbox } from '../../../src/outbox/outbox.ts';
import { wrap } from './wrap-function.ts';

const file = process.env['READING_HOOK_FILE'] ?? '/dev/null';

wrap(TieredOutbox.prototype, 'append', ([reading]) => {
  appendFileSync(file, `${JSON.stringify(reading)}\n`);
  return undefined;
});
