/**
 * Provisioning once, for a command beside the agent: the session from its start until there is a token, and no further.
 *
 * The same states, actions and order as the agent's (session.ts, actions.ts), so the same promises: the intent is durable
 * before the first request, a token that was proposed earlier is asked for first, and what is issued is durable before it is
 * believed. It ends where the agent would wait: whoever runs it is told why, and the agent goes on from what is on the disk.
 */

import type { Refusal } from '../failures/failure.ts';
import { type ActionPorts, getIn, type ProvisioningSettings } from './actions.ts';
import { next, SAVE_AGAIN_MS, START } from './machine.ts';
import type { Event, OwnClaim, State } from './state.ts';

export type ProvisionedOnce =
  /** `earlier`: there were credentials, and nothing was asked. `answered`: an earlier request had worked. */
  | { readonly is: 'in'; readonly how: 'earlier' | 'issued' | 'answered'; readonly claim: OwnClaim }
  | { readonly is: 'refused'; readonly refusal: Refusal }
  /** The signal came first. `intended`: the intent is on the disk, and a request may be at the server. */
  | { readonly is: 'cut short'; readonly intended: boolean }
  /** The same, while the disk would not take the token that the server has issued. */
  | { readonly is: 'unsaved'; readonly seen: string };

/** Rejects only for a bug. */
export async function provisionOnce(
  ports: ActionPorts,
  settings: ProvisioningSettings,
  signal: AbortSignal,
): Promise<ProvisionedOnce> {
  let state: State = START;
  let how: 'earlier' | 'issued' | 'answered' = 'issued';
  for (;;) {
    if (state.at === 'deliver') throw new Error('provisioning has nothing to deliver');
    const event: Event = await getIn(state, ports, settings, signal);
    const after = next(state, event, {
      monotonicMs: ports.clock.monotonicMs(),
      random: ports.chance.random(),
      deviceName: settings.deviceName,
    });
    if (event.type === 'remembered' && event.record?.state === 'provisioned') how = 'earlier';
    if (event.type === 'probed' && event.ours) how = 'answered';
    if (after.at === 'deliver' && after.saveAgainMs === undefined)
      return { is: 'in', how, claim: after.claim };
    if (after.at === 'deliver') {
      // The server will not say this token again, or need not: whoever holds it asks the disk until it takes it.
      await ports.clock.sleep(SAVE_AGAIN_MS, signal);
      if (signal.aborted) return { is: 'unsaved', seen: 'refusal' in event ? event.refusal.detail : '' };
      state = { at: 'adopt', claim: after.claim, troubles: after.troubles };
      continue;
    }
    if (signal.aborted) return { is: 'cut short', intended: isIntended(after) };
    if (after.at === 'wait') return { is: 'refused', refusal: after.refusal };
    state = after;
  }
}

function isIntended(state: State): boolean {
  return 'claim' in (state.at === 'wait' ? state.resume : state);
}
