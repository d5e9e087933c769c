/**
 * Patience: within which time each thing that the loops do must be over, before they count as standing still.
 *
 * Every figure is well above the bound that the thing keeps by itself, so that a slow card or a bad road never looks like
 * a bug: only what has no end does. With the watchdog's own time (systemd/firstlight.service) on top, it is the time in
 * which a part that stands still gets the agent restarted. A test holds them against transport/coap/timing.ts.
 */

import type { SessionState } from '../session/state.ts';

/** How late a timer may fire on a board that swaps or is throttled, ms. */
export const SLACK_MS = 60_000;
/** The sensors give up by themselves after 2 s, ms. */
export const SAMPLING_MS_MAX = 30_000;
/** Reading or writing some kilobytes, and syncing them, on a card that is busy with somebody else's writes, ms. */
export const DISK_MS_MAX = 2 * 60_000;
/**
 * A request that can be repeated ends within 70 s: 10 s for the name, 45 s without a sign of the server, 15 s from its
 * acknowledgement to its answer. Of several addresses only the last is waited for as long, as a rule, ms.
 */
export const REQUEST_MS_MAX = 5 * 60_000;
/** The same for provisioning: 10 s, 247 s and 247 s again, and then the token goes to the disk, ms. */
export const PROVISIONING_MS_MAX = 15 * 60_000;
/** A turn of delivery between two waits: some touches of the disk, ms. */
export const DELIVERING_MS_MAX = 3 * 60_000;

/** Within which time the conversation must be heard of again that enters `state`, ms. */
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
