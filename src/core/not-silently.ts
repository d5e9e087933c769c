/** Provisioning is patient for minutes; an operator who watches is told after a while that it still waits. */

import { tell } from './events.ts';
import { LinkedAbort } from './linked-abort.ts';
import type { Clock } from './ports-clock.ts';
import type { Logger } from './ports-log.ts';

/** An operator who watches a first boot hears of a silence long before the request is given up, ms. */
const SILENCE_TOLD_AFTER_MS = 20_000;

/** Provisioning is patient for four minutes; this says so while it is. */
export async function notSilently<T>(
  action: Promise<T>,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Promise<T> {
  using over = new LinkedAbort(signal);
  void clock.sleep(SILENCE_TOLD_AFTER_MS, over.signal).then(() => {
    if (over.signal.aborted) return;
    tell(log, 'FL-PROVISIONING-SLOW');
  });
  try {
    return await action;
  } finally {
    over.abort();
  }
}
