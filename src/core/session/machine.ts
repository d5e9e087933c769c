/**
 * The conversation with the server, as a Moore machine: each state names one action, each action ends in one
 * event.
 *
 *   remember ── nothing stored ─▶ intend ── intent on disk ─▶ provision ── issued, on disk ─▶ deliver ⟲
 *      │  └──── provisioned ───────────────────────────────────────────────────────────────────▲
 *      └─ pending, our own token ─▶ probe ── the server takes it ─▶ adopt ── on disk ───────────┘
 *                                     └──── it does not ─▶ provision, or, if it declined already, wait
 *   every state ── refused ─▶ wait ── elapsed ─▶ where it makes sense to resume
 *   deliver ── unauthorized, again and again for minutes ─▶ intend, keeping the old token ─▶ … ─▶ retry the old one ─▶ …
 *
 * Why probe: provisioning is not idempotent (contract 3.5). After a declined, lost or interrupted request the
 * only safe question is whether the token we proposed is already ours. `next` is pure; the agent performs the
 * actions.
 */

import { waitBeforeMs } from '../failures/backoff.ts';
import type { Failure } from '../failures/failure.ts';
import { FAILURE_POLICIES } from '../failures/policies.ts';
import type { Secret } from '../model/secret.ts';
import type { CredentialRecord } from '../ports/credentials.ts';
import type {
  DeviceIdentity,
  IdentityWithToken,
  ResumableStep,
  SessionContext,
  SessionEvent,
  SessionState,
} from './state.ts';

/** Five healthy minutes make earlier troubles forgotten; less would let a flapping server be hammered. */
export const HEALTHY_MS = 5 * 60_000;

/** How long a token that could not be stored waits for the next try, ms. */
export const RETRY_SAVE_MS = 10_000;

export const INITIAL_STATE: SessionState = { at: 'load', consecutiveFailures: 0 };

/**
 * Where a gateway starts that was given its token by the operator: nothing to remember, nothing to provision.
 */
export function stateWithToken(deviceName: string, token: Secret): SessionState {
  return { at: 'deliver', identity: { deviceName, token }, consecutiveFailures: 0 };
}

/** The state that follows. An event that does not belong to the state is a bug and throws. */
export function nextState(state: SessionState, event: SessionEvent, context: SessionContext): SessionState {
  if (event.type === 'failed') {
    return state.at === 'save'
      ? deliverUnsaved(state.identity, state.consecutiveFailures, context)
      : wait(state, event.failure, context);
  }
  const { consecutiveFailures } = state;
  switch (state.at) {
    case 'load':
      if (event.type === 'loaded') return { ...stateFromRecord(event.record, context), consecutiveFailures };
      break;
    case 'record-intent':
      if (event.type === 'intent-recorded')
        return { at: 'provision', identity: event.identity, consecutiveFailures };
      break;
    case 'provision':
      if (event.type === 'token-issued') {
        return {
          at: 'deliver',
          identity: { deviceName: state.identity.deviceName, token: event.token },
          consecutiveFailures,
        };
      }
      if (event.type === 'token-unsaved') {
        return deliverUnsaved(
          { deviceName: state.identity.deviceName, token: event.token },
          consecutiveFailures,
          context,
        );
      }
      break;
    case 'verify-token':
      if (event.type === 'token-verified') return afterTokenCheck(state, event.accepted, context);
      break;
    case 'verify-previous-token':
      if (event.type === 'token-verified')
        return { ...afterPreviousTokenCheck(state, event.accepted), consecutiveFailures };
      break;
    case 'save':
      if (event.type === 'saved') return { at: 'deliver', identity: state.identity, consecutiveFailures };
      break;
    case 'deliver':
      if (event.type === 'delivered') return healthy(state, state.identity, context);
      if (event.type === 'progressed') return state;
      break;
    case 'wait':
      if (event.type === 'wait-over') return { ...state.resumeAt, ...carriedFields(state) };
      break;
  }
  throw new Error(`session: the event ${event.type} cannot happen in the state ${state.at}`);
}

function stateFromRecord(record: CredentialRecord | undefined, context: SessionContext): ResumableStep {
  if (!record) return { at: 'record-intent' };
  const { deviceName, token } = record;
  if (record.state === 'provisioned') return { at: 'deliver', identity: { deviceName, token: record.token } };
  const { previousToken } = record;
  if (previousToken)
    return { at: 'verify-previous-token', identity: { deviceName, previousToken, ...(token && { token }) } };
  if (token) return { at: 'verify-token', identity: { deviceName, token }, nameDeclined: false };
  // The server was to choose, and the answer may be lost: asking again is all that is left (contract 3.5).
  return isRenamed({ deviceName }, context)
    ? { at: 'record-intent' }
    : { at: 'provision', identity: { deviceName } };
}

function isRenamed({ deviceName, previousToken }: DeviceIdentity, context: SessionContext): boolean {
  return !previousToken && context.deviceName !== undefined && context.deviceName !== deviceName;
}

function afterTokenCheck(
  state: SessionState & { at: 'verify-token' },
  accepted: boolean,
  context: SessionContext,
): SessionState {
  const { identity, consecutiveFailures } = state;
  if (accepted) return { at: 'save', identity, consecutiveFailures };
  // Our request never worked, and the operator chose another name since: go on with that one, and the same token.
  if (isRenamed(identity, context))
    return { at: 'record-intent', proposed: identity.token, consecutiveFailures };
  if (!state.nameDeclined)
    return { at: 'provision', identity: state.identity, consecutiveFailures: state.consecutiveFailures };
  const failure: Failure = {
    reason: 'provisioning-declined',
    detail: 'status FAILURE, and our token is not known there',
  };
  return wait({ ...state, nameDeclined: false }, failure, context);
}

/** The old token first; then whether the new one is already ours; only then a request. */
function afterPreviousTokenCheck(
  state: SessionState & { at: 'verify-previous-token' },
  accepted: boolean,
): ResumableStep {
  const { deviceName, token, previousToken } = state.identity;
  if (accepted) return { at: 'save', identity: { deviceName, token: previousToken } };
  return token
    ? { at: 'verify-token', identity: { ...state.identity, token }, nameDeclined: false }
    : { at: 'provision', identity: state.identity };
}

/** Where to go on after a refusal: never to a second request while the first may have worked. */
function resumeStepOf(state: SessionState): ResumableStep {
  switch (state.at) {
    case 'verify-token':
    case 'provision': {
      const { token, previousToken } = state.identity;
      if (previousToken)
        return { at: 'verify-previous-token', identity: { ...state.identity, previousToken } };
      if (state.at === 'verify-token' || !token) return toResumable(state);
      return { at: 'verify-token', identity: { ...state.identity, token }, nameDeclined: false };
    }
    case 'wait':
      return state.resumeAt;
    default:
      return toResumable(state);
  }
}

function wait(state: SessionState, failure: Failure, context: SessionContext): SessionState {
  // A declined proposal may be our own first request, whose answer was lost: ask before anything else.
  if (state.at === 'provision' && failure.reason === 'provisioning-declined' && state.identity.token) {
    const { token } = state.identity;
    return {
      at: 'verify-token',
      identity: { ...state.identity, token },
      nameDeclined: true,
      consecutiveFailures: state.consecutiveFailures,
    };
  }
  const authFailures = authFailuresAfter(state, failure, context);
  if (state.at === 'deliver' && context.mayProvision && authFailures && isRevoked(authFailures, context)) {
    return { at: 'record-intent', revoked: state.identity, consecutiveFailures: state.consecutiveFailures };
  }
  const consecutiveFailures = state.consecutiveFailures + 1;
  // On top of what the server asked for, or all that it told so would come back at once.
  const requestedWaitMs = failure.retryAfterMs ?? 0;
  const forMs =
    requestedWaitMs +
    waitBeforeMs(FAILURE_POLICIES[failure.reason].schedule, consecutiveFailures, context.random);
  const carried = carriedFields({ ...state, consecutiveFailures, ...(authFailures && { authFailures }) });
  return { at: 'wait', forMs, failure, resumeAt: resumeStepOf(state), ...carried };
}

/** What outlives a wait. Health does not: it has to be shown again. */
function carriedFields({
  consecutiveFailures,
  authFailures,
  retrySaveAtMs,
}: SessionState): Pick<SessionState, 'consecutiveFailures' | 'authFailures' | 'retrySaveAtMs'> {
  return {
    consecutiveFailures,
    ...(authFailures && { authFailures }),
    ...(retrySaveAtMs !== undefined && { retrySaveAtMs }),
  };
}

/** A full disk is no reason not to deliver: the server knows the token, and the disk is asked again later. */
function deliverUnsaved(
  identity: IdentityWithToken,
  consecutiveFailures: number,
  context: SessionContext,
): SessionState {
  return { at: 'deliver', identity, consecutiveFailures, retrySaveAtMs: context.monotonicMs + RETRY_SAVE_MS };
}

function healthy(state: SessionState, identity: IdentityWithToken, context: SessionContext): SessionState {
  if (state.retrySaveAtMs !== undefined) {
    if (context.monotonicMs >= state.retrySaveAtMs)
      return { at: 'save', identity, consecutiveFailures: state.consecutiveFailures };
    return {
      at: 'deliver',
      identity,
      consecutiveFailures: state.consecutiveFailures,
      retrySaveAtMs: state.retrySaveAtMs,
    };
  }
  if (state.consecutiveFailures === 0) return { at: 'deliver', identity, consecutiveFailures: 0 };
  const sinceMs = state.healthySinceMs ?? context.monotonicMs;
  if (context.monotonicMs - sinceMs >= HEALTHY_MS) return { at: 'deliver', identity, consecutiveFailures: 0 };
  return { at: 'deliver', identity, consecutiveFailures: state.consecutiveFailures, healthySinceMs: sinceMs };
}

/** A step without the machine's memory, to be resumed later. */
function toResumable(state: ResumableStep): ResumableStep {
  switch (state.at) {
    case 'load':
      return { at: state.at };
    case 'record-intent':
      return {
        at: state.at,
        ...(state.revoked && { revoked: state.revoked }),
        ...(state.proposed && { proposed: state.proposed }),
      };
    case 'verify-previous-token':
      return { at: 'verify-previous-token', identity: state.identity };
    case 'verify-token':
      return { at: 'verify-token', identity: state.identity, nameDeclined: state.nameDeclined };
    case 'provision':
      return { at: 'provision', identity: state.identity };
    case 'save':
      return { at: 'save', identity: state.identity };
    case 'deliver':
      return { at: 'deliver', identity: state.identity };
  }
}

/**
 * A token counts as revoked after so many refusals over so long: one answer may be a server being restored.
 */
export const REVOCATION_THRESHOLD = { count: 5, forMs: 5 * 60_000 } as const;
/** An outage says nothing about the token: it neither adds a doubt nor takes one away. */
export function authFailuresAfter(
  state: SessionState,
  failure: Failure,
  context: SessionContext,
): SessionState['authFailures'] {
  if (!context.mayProvision || state.at !== 'deliver' || failure.reason !== 'unauthorized')
    return state.authFailures;
  const { count, sinceMs } = state.authFailures ?? { count: 0, sinceMs: context.monotonicMs };
  return { count: count + 1, sinceMs };
}

export function isRevoked(
  authFailures: NonNullable<SessionState['authFailures']>,
  context: SessionContext,
): boolean {
  return (
    authFailures.count >= REVOCATION_THRESHOLD.count &&
    context.monotonicMs - authFailures.sinceMs >= REVOCATION_THRESHOLD.forMs
  );
}
