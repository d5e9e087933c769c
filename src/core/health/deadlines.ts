/**
 * Deadlines of the loops: the time after which an activity counts as stalled.
 *
 * Each is well above the time limit of the activity itself, so that a slow disk or a bad network never counts
 * as a bug. Together with WatchdogSec in systemd/firstlight.service they bound the time until a stalled agent
 * is restarted. A test compares them with transport/coap/retransmission-timing.ts.
 */

import type { SessionState } from '../session/state.ts';

/** Maximum delay of a timer on a host that swaps or is throttled, ms. */
export const SLACK_MS = 60_000;
/** The sensors themselves have a time limit of 2 s, ms. */
export const SAMPLING_MS_MAX = 30_000;
/** Reading or writing some kilobytes, with fsync, on an SD card that is busy with other writes, ms. */
export const DISK_MS_MAX = 2 * 60_000;
/**
 * A repeatable request ends within 70 s: 10 s for the name, 45 s without a response, 15 s from the
 * acknowledgement to the response. Of several addresses, usually only the last takes that long, ms.
 */
export const REQUEST_MS_MAX = 5 * 60_000;
/**
 * Provisioning: 10 s for the name, 247 s without a response, 247 s after the acknowledgement, then storing
 * the token, ms.
 */
export const PROVISIONING_MS_MAX = 15 * 60_000;
/** Delivery between two waits: a few disk accesses, ms. */
export const DELIVERING_MS_MAX = 3 * 60_000;

/** Deadline of the session in `state`, ms. */
export function sessionStepMsMax(state: SessionState): number {
  switch (state.at) {
    case 'load':
    case 'record-intent':
    case 'save':
      return DISK_MS_MAX;
    case 'provision':
      return PROVISIONING_MS_MAX;
    case 'verify-token':
    case 'verify-previous-token':
      return REQUEST_MS_MAX;
    case 'deliver':
      return DELIVERING_MS_MAX;
    case 'wait':
      return state.forMs + SLACK_MS;
  }
}
