/** When an update may begin: in the operator's window, and at a random time, so that a fleet does not begin at once. */

import type { UpdateSchedule, UpdateWindow } from '../model/update-schedule.ts';

const DAY_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;

/** Minutes since local midnight. */
export function localMinute(wallMs: number): number {
  const date = new Date(wallMs);
  return date.getHours() * 60 + date.getMinutes();
}

export function isInWindow(window: UpdateWindow | undefined, minute: number): boolean {
  if (!window) return true;
  const { fromMinute, toMinute } = window;
  return (minute - fromMinute + DAY_MINUTES) % DAY_MINUTES < minutesUntil(fromMinute, toMinute);
}

/** How long to wait now, ms. `share`: the random share of this gateway, in [0, 1). */
export function startDelayMs({ spreadMs, window }: UpdateSchedule, minute: number, share: number): number {
  if (!window) return spreadMs * share;
  const lengthMs = minutesUntil(window.fromMinute, window.toMinute) * MINUTE_MS;
  if (!isInWindow(window, minute)) {
    const opensInMs = minutesUntil(minute, window.fromMinute) * MINUTE_MS;
    return opensInMs + share * Math.min(spreadMs, lengthMs / 2);
  }
  const remainingMs = minutesUntil(minute, window.toMinute) * MINUTE_MS;
  return share * Math.min(spreadMs, remainingMs / 2);
}

/** 1 to 1440. */
function minutesUntil(from: number, to: number): number {
  return ((to - from + DAY_MINUTES - 1) % DAY_MINUTES) + 1;
}
