/** All failure reasons, in the order of the policies, and a failure of each. */

import type { Failure, FailureReason } from '../../src/core/failures/failure.ts';
import { FAILURE_POLICIES } from '../../src/core/failures/policies.ts';

export const FAILURE_REASONS = Object.keys(FAILURE_POLICIES) as FailureReason[];

export function failureOf(reason: FailureReason): Failure {
  return { reason, detail: `seen: ${reason}` };
}
