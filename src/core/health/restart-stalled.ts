/**
 * Runs a loop without which the agent still does its work, and starts it again when an activity is past its deadline. A stall of
 * such a loop stops no watchdog notification: a gateway that posts telemetry is not restarted because it does not hear the server.
 */

import { ChildAbortController } from '../async/abort.ts';
import type { Clock } from '../ports/clock.ts';
import { type Heartbeat, Liveness } from './liveness.ts';

/** Two checks in a row must find the stall: after a frozen cgroup, all deadlines are exceeded for a moment. */
const CHECK_EVERY_MS = 60_000;
/** A loop that has not ended this long after its abort is left behind, ms. */
export const LOOP_END_MS_MAX = 5_000;
/** Loops that are left behind; then none is started any more. */
const LEFT_BEHIND_MAX = 10;

export interface RestartPorts {
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  /** The loop is aborted now; `activity` is past its deadline. */
  readonly onStalled: (activity: string) => void;
}

/** Resolves when the signal aborts, also if the loop does not end. Rejects if the loop does. */
export async function restartIfStalled(
  loop: (heartbeat: Heartbeat, signal: AbortSignal) => Promise<void>,
  { clock, onStalled }: RestartPorts,
  signal: AbortSignal,
): Promise<void> {
  for (let leftBehind = 0; !signal.aborted && leftBehind < LEFT_BEHIND_MAX; ) {
    using stop = new ChildAbortController(signal);
    const liveness = new Liveness(clock);
    using heartbeat = liveness.heartbeat();
    let hasEnded = false;
    const running = loop(heartbeat, stop.signal).finally(() => {
      hasEnded = true;
      stop.abort();
    });
    const stalled = await Promise.race([running, findStall(liveness, clock, stop.signal)]);
    if (typeof stalled === 'string') onStalled(stalled);
    stop.abort();
    const timeout = new AbortController();
    await Promise.race([running, clock.sleep(LOOP_END_MS_MAX, timeout.signal)]);
    timeout.abort();
    if (!hasEnded) leftBehind += 1;
  }
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** The activity that is past its deadline; undefined when the signal aborts. */
async function findStall(
  liveness: Liveness,
  clock: RestartPorts['clock'],
  signal: AbortSignal,
): Promise<string | undefined> {
  for (let wasStalled = false; !signal.aborted; ) {
    await clock.sleep(CHECK_EVERY_MS, signal);
    const { stalled } = liveness;
    if (stalled !== undefined && wasStalled) return signal.aborted ? undefined : stalled;
    wasStalled = stalled !== undefined;
  }
  return undefined;
}
