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
import type { Refusal } from '../failures/failure.ts';
import { VERDICTS } from '../failures/policies.ts';
import type { Secret } from '../model/secret.ts';
import type { CredentialRecord } from '../ports/credentials.ts';
import type { Claim, Context, Event, OwnClaim, Resumable, State } from './state.ts';

/** Five healthy minutes make earlier troubles forgotten; less would let a flapping server be hammered. */
export const HEALTHY_MS = 5 * 60_000;

/** How long a token that could not be stored waits for the next try, ms. */
export const SAVE_AGAIN_MS = 10_000;

export const START: State = { at: 'remember', troubles: 0 };

/**
 * Where a gateway starts that was given its token by the operator: nothing to remember, nothing to provision.
 */
export function startWithToken(deviceName: string, token: Secret): State {
  return { at: 'deliver', claim: { deviceName, token }, troubles: 0 };
}

/** The state that follows. An event that does not belong to the state is a bug and throws. */
export function next(state: State, event: Event, context: Context): State {
  if (event.type === 'refused') {
    return state.at === 'adopt'
      ? unsaved(state.claim, state.troubles, context)
      : wait(state, event.refusal, context);
  }
  const { troubles } = state;
  switch (state.at) {
    case 'remember':
      if (event.type === 'remembered') return { ...recall(event.record, context), troubles };
      break;
    case 'intend':
      if (event.type === 'intended') return { at: 'provision', claim: event.claim, troubles };
      break;
    case 'provision':
      if (event.type === 'issued') {
        return { at: 'deliver', claim: { deviceName: state.claim.deviceName, token: event.token }, troubles };
      }
      if (event.type === 'unkept') {
        return unsaved({ deviceName: state.claim.deviceName, token: event.token }, troubles, context);
      }
      break;
    case 'probe':
      if (event.type === 'probed') return afterProbe(state, event.ours, context);
      break;
    case 'retry':
      if (event.type === 'probed') return { ...afterRetry(state, event.ours), troubles };
      break;
    case 'adopt':
      if (event.type === 'adopted') return { at: 'deliver', claim: state.claim, troubles };
      break;
    case 'deliver':
      if (event.type === 'delivered') return healthy(state, state.claim, context);
      if (event.type === 'stepped') return state;
      break;
    case 'wait':
      if (event.type === 'elapsed') return { ...state.resume, ...memoryOf(state) };
      break;
  }
  throw new Error(`session: the event ${event.type} cannot happen in the state ${state.at}`);
}

function recall(record: CredentialRecord | undefined, context: Context): Resumable {
  if (!record) return { at: 'intend' };
  const { deviceName, token } = record;
  if (record.state === 'provisioned') return { at: 'deliver', claim: { deviceName, token: record.token } };
  const { previousToken } = record;
  if (previousToken) return { at: 'retry', claim: { deviceName, previousToken, ...(token && { token }) } };
  if (token) return { at: 'probe', claim: { deviceName, token }, declined: false };
  // The server was to choose, and the answer may be lost: asking again is all that is left (contract 3.5).
  return isRenamed({ deviceName }, context) ? { at: 'intend' } : { at: 'provision', claim: { deviceName } };
}

function isRenamed({ deviceName, previousToken }: Claim, context: Context): boolean {
  return !previousToken && context.deviceName !== undefined && context.deviceName !== deviceName;
}

function afterProbe(state: State & { at: 'probe' }, ours: boolean, context: Context): State {
  const { claim, troubles } = state;
  if (ours) return { at: 'adopt', claim, troubles };
  // Our request never worked, and the operator chose another name since: go on with that one, and the same token.
  if (isRenamed(claim, context)) return { at: 'intend', proposed: claim.token, troubles };
  if (!state.declined) return { at: 'provision', claim: state.claim, troubles: state.troubles };
  const refusal: Refusal = { reason: 'declined', detail: 'status FAILURE, and our token is not known there' };
  return wait({ ...state, declined: false }, refusal, context);
}

/** The old token first; then whether the new one is already ours; only then a request. */
function afterRetry(state: State & { at: 'retry' }, works: boolean): Resumable {
  const { deviceName, token, previousToken } = state.claim;
  if (works) return { at: 'adopt', claim: { deviceName, token: previousToken } };
  return token
    ? { at: 'probe', claim: { ...state.claim, token }, declined: false }
    : { at: 'provision', claim: state.claim };
}

/** Where to go on after a refusal: never to a second request while the first may have worked. */
function resumption(state: State): Resumable {
  switch (state.at) {
    case 'probe':
    case 'provision': {
      const { token, previousToken } = state.claim;
      if (previousToken) return { at: 'retry', claim: { ...state.claim, previousToken } };
      if (state.at === 'probe' || !token) return bare(state);
      return { at: 'probe', claim: { ...state.claim, token }, declined: false };
    }
    case 'wait':
      return state.resume;
    default:
      return bare(state);
  }
}

function wait(state: State, refusal: Refusal, context: Context): State {
  // A declined proposal may be our own first request, whose answer was lost: ask before anything else.
  if (state.at === 'provision' && refusal.reason === 'declined' && state.claim.token) {
    const { token } = state.claim;
    return { at: 'probe', claim: { ...state.claim, token }, declined: true, troubles: state.troubles };
  }
  const doubts = doubtsAfter(state, refusal, context);
  if (state.at === 'deliver' && context.mayProvision && doubts && isRevoked(doubts, context)) {
    return { at: 'intend', revoked: state.claim, troubles: state.troubles };
  }
  const troubles = state.troubles + 1;
  // On top of what the server asked for, or all that it told so would come back at once.
  const asMuchAsAskedMs = refusal.retryAfterMs ?? 0;
  const forMs = asMuchAsAskedMs + waitBeforeMs(VERDICTS[refusal.reason].schedule, troubles, context.random);
  const memory = memoryOf({ ...state, troubles, ...(doubts && { doubts }) });
  return { at: 'wait', forMs, refusal, resume: resumption(state), ...memory };
}

/** What outlives a wait. Health does not: it has to be shown again. */
function memoryOf({
  troubles,
  doubts,
  saveAgainMs,
}: State): Pick<State, 'troubles' | 'doubts' | 'saveAgainMs'> {
  return { troubles, ...(doubts && { doubts }), ...(saveAgainMs !== undefined && { saveAgainMs }) };
}

/** A full disk is no reason not to deliver: the server knows the token, and the disk is asked again later. */
function unsaved(claim: OwnClaim, troubles: number, context: Context): State {
  return { at: 'deliver', claim, troubles, saveAgainMs: context.monotonicMs + SAVE_AGAIN_MS };
}

function healthy(state: State, claim: OwnClaim, context: Context): State {
  if (state.saveAgainMs !== undefined) {
    if (context.monotonicMs >= state.saveAgainMs) return { at: 'adopt', claim, troubles: state.troubles };
    return { at: 'deliver', claim, troubles: state.troubles, saveAgainMs: state.saveAgainMs };
  }
  if (state.troubles === 0) return { at: 'deliver', claim, troubles: 0 };
  const since = state.healthySinceMs ?? context.monotonicMs;
  if (context.monotonicMs - since >= HEALTHY_MS) return { at: 'deliver', claim, troubles: 0 };
  return { at: 'deliver', claim, troubles: state.troubles, healthySinceMs: since };
}

/** A step without the machine's memory, to be resumed later. */
function bare(state: Resumable): Resumable {
  switch (state.at) {
    case 'remember':
      return { at: state.at };
    case 'intend':
      return {
        at: state.at,
        ...(state.revoked && { revoked: state.revoked }),
        ...(state.proposed && { proposed: state.proposed }),
      };
    case 'retry':
      return { at: 'retry', claim: state.claim };
    case 'probe':
      return { at: 'probe', claim: state.claim, declined: state.declined };
    case 'provision':
      return { at: 'provision', claim: state.claim };
    case 'adopt':
      return { at: 'adopt', claim: state.claim };
    case 'deliver':
      return { at: 'deliver', claim: state.claim };
  }
}

/**
 * A token counts as revoked after so many refusals over so long: one answer may be a server being restored.
 */
export const DOUBTS = { count: 5, forMs: 5 * 60_000 } as const;
/** An outage says nothing about the token: it neither adds a doubt nor takes one away. */
export function doubtsAfter(state: State, refusal: Refusal, context: Context): State['doubts'] {
  if (!context.mayProvision || state.at !== 'deliver' || refusal.reason !== 'unauthorized')
    return state.doubts;
  const { count, sinceMs } = state.doubts ?? { count: 0, sinceMs: context.monotonicMs };
  return { count: count + 1, sinceMs };
}

export function isRevoked(doubts: NonNullable<State['doubts']>, context: Context): boolean {
  return doubts.count >= DOUBTS.count && context.monotonicMs - doubts.sinceMs >= DOUBTS.forMs;
}
