/**
 * Random walks through the session: from each state one of the events that its action can end in.
 *
 * The tokens are the test's own: `minted-N` for a proposal of ours, a fresh one each time the intent is made
 * without one. The gateway is configured as CONFIGURED; a stored record may hold another name.
 */

import * as fc from 'fast-check';
import { Secret } from '../../../src/core/model/secret.ts';
import type { CredentialRecord } from '../../../src/core/ports/credentials.ts';
import { next, START } from '../../../src/core/session/machine.ts';
import type { Event, State } from '../../../src/core/session/state.ts';
import { REASONS, refusalOf } from '../../doubles/failures.ts';

export interface Leg {
  readonly before: State;
  readonly event: Event;
  readonly after: State;
  readonly monotonicMs: number;
}

interface Turn {
  readonly refused: boolean;
  readonly pick: number;
  readonly random: number;
  readonly passedMs: number;
}

const turn: fc.Arbitrary<Turn> = fc.record({
  refused: fc.boolean(),
  pick: fc.nat(),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  passedMs: fc.oneof(fc.nat(2_000), fc.nat(400_000)),
});

export const CONFIGURED = 'gw-1';

const server = 'coap://tb.example.com';

/** Walks of up to a hundred legs from the start of the machine. */
export const walks: fc.Arbitrary<readonly Leg[]> = fc.array(turn, { minLength: 1, maxLength: 100 }).map(walk);

function walk(turns: readonly Turn[]): readonly Leg[] {
  const legs: Leg[] = [];
  let state = START;
  let monotonicMs = 0;
  for (const [index, { refused, pick, random, passedMs }] of turns.entries()) {
    monotonicMs += passedMs;
    const event = refused && state.at !== 'wait' ? refusal(pick) : success(state, pick, index);
    const after = next(state, event, { monotonicMs, random, deviceName: CONFIGURED });
    legs.push({ before: state, event, after, monotonicMs });
    state = after;
  }
  return legs;
}

function refusal(pick: number): Event {
  const reason = REASONS[pick % REASONS.length] ?? 'silent';
  return { type: 'refused', refusal: refusalOf(reason) };
}

function success(state: State, pick: number, index: number): Event {
  switch (state.at) {
    case 'remember':
      return { type: 'remembered', record: records[pick % records.length] };
    case 'intend': {
      const { proposed } = state;
      const ours = { deviceName: CONFIGURED, token: proposed ?? new Secret(`minted-${index}`) };
      return { type: 'intended', claim: pick % 3 === 0 && !proposed ? { deviceName: CONFIGURED } : ours };
    }
    case 'provision': {
      const token = state.claim.token ?? new Secret(`issued-${index}`);
      return pick % 3 === 0 ? { type: 'unkept', token, refusal: FULL } : { type: 'issued', token };
    }
    case 'probe':
    case 'retry':
      return { type: 'probed', ours: pick % 2 === 0 };
    case 'adopt':
      return { type: 'adopted' };
    case 'deliver':
      return { type: pick % 5 === 0 ? 'stepped' : 'delivered' };
    case 'wait':
      return { type: 'elapsed' };
  }
}

const FULL = refusalOf('store-failed');
const known = { server, deviceName: CONFIGURED, sinceMs: 1 };
const renamed = { ...known, deviceName: 'gw-stored' };
const records: readonly (CredentialRecord | undefined)[] = [
  undefined,
  { state: 'pending', ...known },
  { state: 'pending', ...known, token: new Secret('stored-proposal') },
  { state: 'pending', ...renamed },
  { state: 'pending', ...renamed, token: new Secret('stored-proposal') },
  { state: 'provisioned', ...renamed, token: new Secret('stored-token') },
];
