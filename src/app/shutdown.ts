/**
 * A stop that does not wait for what stands still: a loop that hangs must not keep the readings in memory from the disk.
 *
 * The watchdog of the unit sends SIGTERM first, so that an agent whose event loop still turns saves what it has.
 */

import { ChildAbortController } from '../core/async/abort.ts';
import { logEvent } from '../core/events/catalogue.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';

/** Loops that are well end in milliseconds; an agent that is told to stop has five seconds, of which the disk gets four, ms. */
const SHUTDOWN_TIMEOUT_MS = 900;

/** Resolves and rejects as `running` does; soon after an abort it resolves in any case. */
export async function awaitShutdown(
  agent: Promise<void>,
  { clock, log }: { readonly clock: Pick<Clock, 'sleep'>; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  using controller = new ChildAbortController(signal);
  const timeoutController = new AbortController();
  const timeout = waitForAbort(controller.signal).then(() =>
    clock.sleep(SHUTDOWN_TIMEOUT_MS, timeoutController.signal),
  );
  let isEnded = false;
  const completion = agent.finally(() => {
    isEnded = true;
    controller.abort();
    timeoutController.abort();
  });
  await Promise.race([completion, timeout]);
  if (!isEnded) logEvent(log, 'FL-SHUTDOWN-TIMEOUT');
}

function waitForAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
