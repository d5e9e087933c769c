/**
 * Bounds the shutdown: a stalled loop must not prevent the outbox from writing its readings to disk.
 *
 * The watchdog of the systemd unit sends SIGTERM first, so an agent with a working event loop can still save its readings.
 */

import { ChildAbortController } from '../core/async/abort.ts';
import { logEvent } from '../core/events/catalogue.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';

/** Healthy loops end within milliseconds. Of the 5 s for a shutdown, the disk gets 4 s, ms. */
const SHUTDOWN_TIMEOUT_MS = 900;

/** Settles like `agent`; resolves at the latest SHUTDOWN_TIMEOUT_MS after the abort. */
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
