/**
 * The session with the server as a Moore machine: each state names one action, each action ends in one event.
 *
 *   load ── no record ─▶ record-intent ── intent stored ─▶ provision ── token issued and stored ─▶ deliver ⟲
 *     │  └──── provisioned ───────────────────────────────────────────────────────────────────────▲
 *     └─ pending, with a proposed token ─▶ verify-token ── accepted ─▶ save ── stored ─────────────┘
 *                                               └── not accepted ─▶ provision, or wait if the name was declined
 *   every state ── failed ─▶ wait ── wait over ─▶ the state to resume
 *   deliver ── unauthorized for minutes ─▶ record-intent with the old token ─▶ … ─▶ verify-previous-token ─▶ …
 *
 * Provisioning is not idempotent (contract 3.5): after a declined, lost or interrupted request, the session
 * first verifies whether the server already accepts the proposed token. `nextState` is pure.
 */

import { countFailure, type FailureCounts, waitBeforeMs } from '../failures/backoff.ts';
import type { Failure } from '../failures/failure.ts';
import { FAILURE_POLICIES } from '../failures/policies.ts';
import type { Secret } from '../model/secret.ts';
import type { CredentialRecord } from '../ports/credentials.ts';
import { authFailuresAfter, isRevoked, untilRevokedMs } from './revocation.ts';
import type {
  DeviceIdentity,
  IdentityWithToken,
  ResumableStep,
  SessionContext,
  SessionEvent,
  SessionState,
} from './state.ts';

/** Successful deliveries for this long reset the failure counts, ms; less would overload a flapping server. */
export const HEALTHY_MS = 5 * 60_000;

/** Delay before the next attempt to store an unsaved token, ms. */
export const RETRY_SAVE_MS = 10_000;

export const INITIAL_STATE: SessionState = { at: 'load', failureCounts: {} };

/** The initial state of a gateway whose token is configured: nothing to load, nothing to provision. */
export function stateWithToken(deviceName: string, token: Secret): SessionState {
  return { at: 'deliver', identity: { deviceName, token }, failureCounts: {} };
}

/** Throws if the event cannot happen in the state, which is a bug. */
export function nextState(state: SessionState, event: SessionEvent, context: SessionContext): SessionState {
  if (event.type === 'failed') {
    return state.at === 'save'
      ? deliverUnsaved(state.identity, state.failureCounts, context)
      : wait(state, event.failure, context);
  }
  const { failureCounts } = state;
  switch (state.at) {
    case 'load':
      if (event.type === 'loaded') return { ...stateFromRecord(event.record, context), failureCounts };
      break;
    case 'record-intent':
      if (event.type === 'intent-recorded')
        return { at: 'provision', identity: event.identity, failureCounts };
      break;
    case 'provision':
      if (event.type === 'token-issued') {
        return {
          at: 'deliver',
          identity: { deviceName: state.identity.deviceName, token: event.token },
          failureCounts,
        };
      }
      if (event.type === 'token-unsaved') {
        return deliverUnsaved(
          { deviceName: state.identity.deviceName, token: event.token },
          failureCounts,
          context,
        );
      }
      break;
    case 'verify-token':
      if (event.type === 'token-verified') return afterTokenCheck(state, event.accepted, context);
      break;
    case 'verify-previous-token':
      if (event.type === 'token-verified')
        return { ...afterPreviousTokenCheck(state, event.accepted), failureCounts };
      break;
    case 'save':
      if (event.type === 'saved') return { at: 'deliver', identity: state.identity, failureCounts };
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
  // In server-generated mode a lost response cannot be recovered: request again (contract 3.5).
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
  const { identity, failureCounts } = state;
  if (accepted) return { at: 'save', identity, failureCounts };
  // The request never worked and the configured name has changed: continue with the new name and the same
  // token.
  if (isRenamed(identity, context)) return { at: 'record-intent', proposed: identity.token, failureCounts };
  if (!state.nameDeclined)
    return { at: 'provision', identity: state.identity, failureCounts: state.failureCounts };
  const failure: Failure = {
    reason: 'provisioning-declined',
    detail: 'status FAILURE, and the server does not accept the proposed token',
  };
  return wait({ ...state, nameDeclined: false }, failure, context);
}

/** Tries the old token first, then verifies the new one, and only then sends a request. */
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

/** The step to resume after a failure: never a second request while the first may have worked. */
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
  // A lost response to an earlier request also leads to "declined": verify the token before anything else.
  if (state.at === 'provision' && failure.reason === 'provisioning-declined' && state.identity.token) {
    const { token } = state.identity;
    return {
      at: 'verify-token',
      identity: { ...state.identity, token },
      nameDeclined: true,
      failureCounts: state.failureCounts,
    };
  }
  const authFailures = authFailuresAfter(state, failure, context);
  if (state.at === 'deliver' && context.mayProvision && authFailures && isRevoked(authFailures, context)) {
    return { at: 'record-intent', revoked: state.identity, failureCounts: state.failureCounts };
  }
  const failureCounts = countFailure(state.failureCounts, failure.reason);
  // Added to the requested wait; otherwise all gateways with the same wait would return at once.
  const requestedWaitMs = failure.retryAfterMs ?? 0;
  const forMs =
    requestedWaitMs +
    Math.min(
      waitBeforeMs(
        FAILURE_POLICIES[failure.reason].schedule,
        failureCounts[failure.reason] ?? 1,
        context.random,
      ),
      untilRevokedMs(state, authFailures, context),
    );
  const carried = carriedFields({ ...state, failureCounts, ...(authFailures && { authFailures }) });
  return { at: 'wait', forMs, failure, resumeAt: resumeStepOf(state), ...carried };
}

/** The fields that a wait carries over; the healthy period starts again. */
function carriedFields({
  failureCounts,
  authFailures,
  retrySaveAtMs,
}: SessionState): Pick<SessionState, 'failureCounts' | 'authFailures' | 'retrySaveAtMs'> {
  return {
    failureCounts,
    ...(authFailures && { authFailures }),
    ...(retrySaveAtMs !== undefined && { retrySaveAtMs }),
  };
}

/** Delivers with a token that is only in memory, and tries to store it again later. */
function deliverUnsaved(
  identity: IdentityWithToken,
  failureCounts: FailureCounts,
  context: SessionContext,
): SessionState {
  return { at: 'deliver', identity, failureCounts, retrySaveAtMs: context.monotonicMs + RETRY_SAVE_MS };
}

function healthy(state: SessionState, identity: IdentityWithToken, context: SessionContext): SessionState {
  if (state.retrySaveAtMs !== undefined) {
    if (context.monotonicMs >= state.retrySaveAtMs)
      return { at: 'save', identity, failureCounts: state.failureCounts };
    return {
      at: 'deliver',
      identity,
      failureCounts: state.failureCounts,
      retrySaveAtMs: state.retrySaveAtMs,
    };
  }
  if (Object.keys(state.failureCounts).length === 0) return { at: 'deliver', identity, failureCounts: {} };
  const sinceMs = state.healthySinceMs ?? context.monotonicMs;
  if (context.monotonicMs - sinceMs >= HEALTHY_MS) return { at: 'deliver', identity, failureCounts: {} };
  return { at: 'deliver', identity, failureCounts: state.failureCounts, healthySinceMs: sinceMs };
}

/** The step without the counters of the state. */
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
