/**
 * Provisioning once, for a command beside the agent: the session from its start until there is a token, and no further.
 *
 * The same states, actions and order as the agent's (session.ts, actions.ts), so the same promises: the intent is durable
 * before the first request, a token that was proposed earlier is asked for first, and what is issued is durable before it is
 * believed. It ends where the agent would wait: whoever runs it is told why, and the agent goes on from what is on the disk.
 */

import type { Failure } from '../failures/failure.ts';
import { type ActionPorts, connect, type ProvisioningSettings } from './actions.ts';
import { INITIAL_STATE, nextState, RETRY_SAVE_MS } from './machine.ts';
import type { IdentityWithToken, SessionEvent, SessionState } from './state.ts';

export type ProvisionOutcome =
  /** `earlier`: there were credentials, and nothing was asked. `answered`: an earlier request had worked. */
  | {
      readonly is: 'provisioned';
      readonly source: 'existing' | 'issued' | 'recovered';
      readonly identity: IdentityWithToken;
    }
  | { readonly is: 'failed'; readonly failure: Failure }
  /** The signal came first. `intended`: the intent is on the disk, and a request may be at the server. */
  | { readonly is: 'cancelled'; readonly intentRecorded: boolean }
  /** The same, while the disk would not take the token that the server has issued. */
  | { readonly is: 'unsaved'; readonly detail: string };

/** Rejects only for a bug. */
export async function provisionOnce(
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
      // The server will not say this token again, or need not: whoever holds it asks the disk until it takes it.
      await ports.clock.sleep(RETRY_SAVE_MS, signal);
      if (signal.aborted) return { is: 'unsaved', detail: 'failure' in event ? event.failure.detail : '' };
      state = {
        at: 'save',
        identity: following.identity,
        consecutiveFailures: following.consecutiveFailures,
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
