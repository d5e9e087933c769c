/**
 * Random walks through the session: from each state, one of the events in which its action can end.
 *
 * Tokens: `minted-N` is a proposal, a new one for each intent without a token. The gateway is configured as
 * CONFIGURED; a stored record may have another name.
 */

import * as fc from 'fast-check';
import { Secret } from '../../../src/core/model/secret.ts';
import type { CredentialRecord } from '../../../src/core/ports/credentials.ts';
import { INITIAL_STATE, nextState } from '../../../src/core/session/machine.ts';
import type { SessionEvent, SessionState } from '../../../src/core/session/state.ts';
import { FAILURE_REASONS, failureOf } from '../../doubles/failures.ts';

export interface WalkStep {
  readonly before: SessionState;
  readonly event: SessionEvent;
  readonly after: SessionState;
  readonly monotonicMs: number;
}

interface WalkChoice {
  readonly failed: boolean;
  readonly pick: number;
  readonly random: number;
  readonly passedMs: number;
}

const choice: fc.Arbitrary<WalkChoice> = fc.record({
  failed: fc.boolean(),
  pick: fc.nat(),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  passedMs: fc.oneof(fc.nat(2_000), fc.nat(400_000)),
});

export const CONFIGURED = 'gw-1';

const server = 'coap://tb.example.com';

/** Walks of up to a hundred legs from the start of the machine. */
export const walks: fc.Arbitrary<readonly WalkStep[]> = fc
  .array(choice, { minLength: 1, maxLength: 100 })
  .map(walk);

function walk(choices: readonly WalkChoice[]): readonly WalkStep[] {
  const walkSteps: WalkStep[] = [];
  let state = INITIAL_STATE;
  let monotonicMs = 0;
  for (const [index, { failed, pick, random, passedMs }] of choices.entries()) {
    monotonicMs += passedMs;
    const event = failed && state.at !== 'wait' ? failure(pick) : success(state, pick, index);
    const after = nextState(state, event, { monotonicMs, random, deviceName: CONFIGURED });
    walkSteps.push({ before: state, event, after, monotonicMs });
    state = after;
  }
  return walkSteps;
}

function failure(pick: number): SessionEvent {
  const reason = FAILURE_REASONS[pick % FAILURE_REASONS.length] ?? 'server-timeout';
  return { type: 'failed', failure: failureOf(reason) };
}

function success(state: SessionState, pick: number, index: number): SessionEvent {
  switch (state.at) {
    case 'load':
      return { type: 'loaded', record: records[pick % records.length] };
    case 'record-intent': {
      const { proposed } = state;
      const accepted = { deviceName: CONFIGURED, token: proposed ?? new Secret(`minted-${index}`) };
      return {
        type: 'intent-recorded',
        identity: pick % 3 === 0 && !proposed ? { deviceName: CONFIGURED } : accepted,
      };
    }
    case 'provision': {
      const token = state.identity.token ?? new Secret(`issued-${index}`);
      return pick % 3 === 0
        ? { type: 'token-unsaved', token, failure: FULL }
        : { type: 'token-issued', token };
    }
    case 'verify-token':
    case 'verify-previous-token':
      return { type: 'token-verified', accepted: pick % 2 === 0 };
    case 'save':
      return { type: 'saved' };
    case 'deliver':
      return { type: pick % 5 === 0 ? 'progressed' : 'delivered' };
    case 'wait':
      return { type: 'wait-over' };
  }
}

const FULL = failureOf('credentials-storage-failed');
const configuredRecord = { server, deviceName: CONFIGURED, sinceMs: 1 };
const renamed = { ...configuredRecord, deviceName: 'gw-stored' };
const records: readonly (CredentialRecord | undefined)[] = [
  undefined,
  { state: 'pending', ...configuredRecord },
  { state: 'pending', ...configuredRecord, token: new Secret('stored-proposal') },
  { state: 'pending', ...renamed },
  { state: 'pending', ...renamed, token: new Secret('stored-proposal') },
  { state: 'provisioned', ...renamed, token: new Secret('stored-token') },
];
