/**
 * A stop that does not wait for what stands still: a loop that hangs must not keep the readings in memory from the disk.
 *
 * The watchdog of the unit sends SIGTERM first, so that an agent whose event loop still turns saves what it has.
 */

import { LinkedAbort } from '../core/async/abort.ts';
import { tell } from '../core/events/catalogue.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';

/** Loops that are well end in milliseconds; an agent that is told to stop has five seconds, of which the disk gets four, ms. */
const ENDING_MS_MAX = 900;

/** Resolves and rejects as `running` does; soon after an abort it resolves in any case. */
export async function notLongAfter(
  running: Promise<void>,
  { clock, log }: { readonly clock: Pick<Clock, 'sleep'>; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  using ended = new LinkedAbort(signal);
  const over = new AbortController();
  const patience = aborted(ended.signal).then(() => clock.sleep(ENDING_MS_MAX, over.signal));
  let hasEnded = false;
  const end = running.finally(() => {
    hasEnded = true;
    ended.abort();
    over.abort();
  });
  await Promise.race([end, patience]);
  if (!hasEnded) tell(log, 'FL-LEFT-BEHIND');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
