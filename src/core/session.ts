/**
 * The conversation with the server, as a Moore machine: each state names one action, each action ends in one event.
 *
 *   remember ── nothing stored ─▶ intend ── intent on disk ─▶ provision ── issued, on disk ─▶ deliver ⟲
 *      │  └──── provisioned ───────────────────────────────────────────────────────────────────▲
 *      └─ pending, our own token ─▶ probe ── the server takes it ─▶ adopt ── on disk ───────────┘
 *                                     └──── it does not ─▶ provision, or, if it declined already, wait
 *   every state ── refused ─▶ wait ── elapsed ─▶ where it makes sense to resume
 *
 * Why probe: provisioning is not idempotent (contract 3.5). After a declined, lost or interrupted request the only safe question is whether
 * the token we proposed is already ours. `next` is pure; the agent performs the actions.
 */

import { waitBeforeMs } from './backoff.ts';
import type { CredentialRecord } from './ports.ts';
import type { Refusal } from './refusal.ts';
import type { Secret } from './secret.ts';
import { VERDICTS } from './verdicts.ts';

/** What the gateway is known by, and the token it proposes; without one the server chooses (server-generated mode). */
export interface Claim {
  readonly deviceName: string;
  readonly token?: Secret;
}

/** A claim whose token we chose ourselves, so that the server can be asked about it. */
type OwnClaim = Claim & { readonly token: Secret };

/** States that a wait can lead back to. */
export type Resumable =
  | { readonly at: 'remember' }
  | { readonly at: 'intend' }
  | { readonly at: 'provision'; readonly claim: Claim }
  | { readonly at: 'probe'; readonly claim: OwnClaim; readonly declined: boolean }
  | { readonly at: 'adopt'; readonly claim: OwnClaim }
  | { readonly at: 'deliver'; readonly claim: OwnClaim };

export type Step =
  | Resumable
  | { readonly at: 'wait'; readonly forMs: number; readonly refusal: Refusal; readonly resume: Resumable };

/** A step and what the machine remembers about troubles: how many since the last healthy stretch. */
export type State = Step & {
  readonly troubles: number;
  /** Monotonic ms of the first delivery after the last trouble; troubles are forgotten after HEALTHY_MS of it. */
  readonly healthySinceMs?: number;
};

export type Event =
  | { readonly type: 'remembered'; readonly record: CredentialRecord | undefined }
  | { readonly type: 'intended'; readonly claim: Claim }
  | { readonly type: 'issued'; readonly token: Secret }
  | { readonly type: 'probed'; readonly ours: boolean }
  | { readonly type: 'adopted' }
  | { readonly type: 'delivered' }
  | { readonly type: 'elapsed' }
  | { readonly type: 'refused'; readonly refusal: Refusal };

export interface Context {
  readonly monotonicMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
}

/** Five healthy minutes make earlier troubles forgotten; less would let a flapping server be hammered. */
export const HEALTHY_MS = 5 * 60_000;

export const START: State = { at: 'remember', troubles: 0 };

/** The state that follows. An event that does not belong to the state is a bug and throws. */
export function next(state: State, event: Event, context: Context): State {
  if (event.type === 'refused') return wait(state, event.refusal, context);
  const { troubles } = state;
  switch (state.at) {
    case 'remember':
      if (event.type === 'remembered') return { ...recall(event.record), troubles };
      break;
    case 'intend':
      if (event.type === 'intended') return { at: 'provision', claim: event.claim, troubles };
      break;
    case 'provision':
      if (event.type === 'issued') {
        return { at: 'deliver', claim: { ...state.claim, token: event.token }, troubles };
      }
      break;
    case 'probe':
      if (event.type === 'probed') return afterProbe(state, event.ours, context);
      break;
    case 'adopt':
      if (event.type === 'adopted') return { at: 'deliver', claim: state.claim, troubles };
      break;
    case 'deliver':
      if (event.type === 'delivered') return healthy(state, state.claim, context);
      break;
    case 'wait':
      if (event.type === 'elapsed') return { ...state.resume, troubles };
      break;
  }
  throw new Error(`session: the event ${event.type} cannot happen in the state ${state.at}`);
}

function recall(record: CredentialRecord | undefined): Resumable {
  if (!record) return { at: 'intend' };
  const { deviceName, token } = record;
  if (record.state === 'provisioned') return { at: 'deliver', claim: { deviceName, token: record.token } };
  if (token) return { at: 'probe', claim: { deviceName, token }, declined: false };
  // The server was to choose, and the answer may be lost: asking again is all that is left (contract 3.5).
  return { at: 'provision', claim: { deviceName } };
}

function afterProbe(state: State & { at: 'probe' }, ours: boolean, context: Context): State {
  if (ours) return { at: 'adopt', claim: state.claim, troubles: state.troubles };
  if (!state.declined) return { at: 'provision', claim: state.claim, troubles: state.troubles };
  const refusal: Refusal = { reason: 'declined', detail: 'status FAILURE, and our token is not known there' };
  return wait({ ...state, declined: false }, refusal, context);
}

/** Where to go on after a refusal: never to a second request while the first may have worked. */
function resumption(state: State): Resumable {
  switch (state.at) {
    case 'provision': {
      const { deviceName, token } = state.claim;
      return token ? { at: 'probe', claim: { deviceName, token }, declined: false } : bare(state);
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
    const { deviceName, token } = state.claim;
    return { at: 'probe', claim: { deviceName, token }, declined: true, troubles: state.troubles };
  }
  const troubles = state.troubles + 1;
  const forMs = waitBeforeMs(VERDICTS[refusal.reason].schedule, troubles, context.random);
  return { at: 'wait', forMs, refusal, resume: resumption(state), troubles };
}

function healthy(state: State, claim: OwnClaim, context: Context): State {
  if (state.troubles === 0) return { at: 'deliver', claim, troubles: 0 };
  const since = state.healthySinceMs ?? context.monotonicMs;
  if (context.monotonicMs - since >= HEALTHY_MS) return { at: 'deliver', claim, troubles: 0 };
  return { at: 'deliver', claim, troubles: state.troubles, healthySinceMs: since };
}

/** A step without the machine's memory, to be resumed later. */
function bare(state: Resumable): Resumable {
  switch (state.at) {
    case 'remember':
    case 'intend':
      return { at: state.at };
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
