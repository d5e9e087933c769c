/**
 * Provisioning once, for a command that runs instead of the agent: the session up to the first token.
 *
 * The same states, actions and order as the agent, therefore the same promises. It ends where the agent would
 * wait, and the agent continues later from the stored record.
 */

import type { Failure } from '../failures/failure.ts';
import type { ActionPorts, ProvisioningSettings } from './action-ports.ts';
import { connect } from './actions.ts';
import { INITIAL_STATE, nextState, RETRY_SAVE_MS } from './machine.ts';
import type { IdentityWithToken, SessionEvent, SessionState } from './state.ts';

export type ProvisionOutcome =
  /**
   * `existing`: there were credentials, and no request was sent. `recovered`: an earlier request had worked.
   */
  | {
      readonly is: 'provisioned';
      readonly source: 'existing' | 'issued' | 'recovered';
      readonly identity: IdentityWithToken;
    }
  | { readonly is: 'failed'; readonly failure: Failure }
  /**
   * The signal aborted. `intentRecorded`: the intent is stored, and the server may have received a request.
   */
  | { readonly is: 'cancelled'; readonly intentRecorded: boolean }
  /** The signal aborted while the issued token could not be stored. */
  | { readonly is: 'unsaved'; readonly detail: string };

/** Rejects only because of a bug. */
export async function provisionWithoutAgent(
  ports: ActionPorts,
  settings: ProvisioningSettings,
  signal: AbortSignal,
): Promise<ProvisionOutcome> {
  let state: SessionState = INITIAL_STATE;
  let source: 'existing' | 'issued' | 'recovered' = 'issued';
  for (;;) {
    if (state.at === 'deliver') throw new Error('provisioning has nothing to deliver');
    const event: SessionEvent = await connect(state, ports, settings, signal);
    const following = nextState(state, event, {
      monotonicMs: ports.clock.monotonicMs(),
      random: ports.random.uniform(),
      deviceName: settings.deviceName,
    });
    if (event.type === 'loaded' && event.record?.state === 'provisioned') source = 'existing';
    if (event.type === 'token-verified' && event.accepted) source = 'recovered';
    if (following.at === 'deliver' && following.retrySaveAtMs === undefined)
      return { is: 'provisioned', source, identity: following.identity };
    if (following.at === 'deliver') {
      // The server may not repeat this token: retry until it is stored.
      await ports.clock.sleep(RETRY_SAVE_MS, signal);
      if (signal.aborted) return { is: 'unsaved', detail: 'failure' in event ? event.failure.detail : '' };
      state = {
        at: 'save',
        identity: following.identity,
        failureCounts: following.failureCounts,
      };
      continue;
    }
    if (signal.aborted) return { is: 'cancelled', intentRecorded: isIntentRecorded(following) };
    if (following.at === 'wait') return { is: 'failed', failure: following.failure };
    state = following;
  }
}

function isIntentRecorded(state: SessionState): boolean {
  return 'identity' in (state.at === 'wait' ? state.resumeAt : state);
}
