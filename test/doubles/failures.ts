/** Every reason of a refusal, in the order of the verdicts, and a refusal of each. */

import type { Refusal, RefusalReason } from '../../src/core/failures/failure.ts';
import { VERDICTS } from '../../src/core/failures/policies.ts';

export const REASONS = Object.keys(VERDICTS) as RefusalReason[];

export function refusalOf(reason: RefusalReason): Refusal {
  return { reason, detail: `seen: ${reason}` };
}
