/**
 * The session as a table: each state with each event it can end in, each refusal in each state, and every
 * event that cannot be.
 *
 * What must hold on every path is in session-paths.test.ts.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitBeforeMs } from '../../../src/core/failures/backoff.ts';
import { VERDICTS } from '../../../src/core/failures/policies.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { HEALTHY_MS, next, START } from '../../../src/core/session/machine.ts';
import type { Event, Resumable, State, Step } from '../../../src/core/session/state.ts';
import { REASONS, refusalOf } from '../../doubles/failures.ts';
import { revealed } from '../../doubles/reveal-secrets.ts';

const NOW = { monotonicMs: 1_000_000, random: 0.25 };
const ISSUED = new Secret('issued-by-the-server');
const OURS = { deviceName: 'gw-1', token: new Secret('proposed-by-us') };
const NAMED = { deviceName: 'gw-1' };
const BEFORE = { ...OURS, previousToken: new Secret('taken-once') };
const STORED = { server: 'coap://tb', deviceName: 'gw-1', sinceMs: 5 };
const SILENT = refusalOf('silent');

const REMEMBER: Step = { at: 'remember' };
const WAIT: Step = {
  at: 'wait',
  forMs: 700,
  refusal: SILENT,
  resume: { at: 'probe', claim: OURS, declined: true },
};

const TRANSITIONS: readonly (readonly [claim: string, from: Step, event: Event, to: Step])[] = [
  [
    'a first boot makes its intent durable',
    REMEMBER,
    { type: 'remembered', record: undefined },
    { at: 'intend' },
  ],
  [
    'a provisioned gateway delivers at once, with the stored token',
    REMEMBER,
    { type: 'remembered', record: { state: 'provisioned', ...STORED, token: OURS.token } },
    { at: 'deliver', claim: OURS },
  ],
  [
    'an interrupted proposal of ours is asked about before it is repeated',
    REMEMBER,
    { type: 'remembered', record: { state: 'pending', ...STORED, token: OURS.token } },
    { at: 'probe', claim: OURS, declined: false },
  ],
  [
    'an interrupted request for a token of the server can only be repeated',
    REMEMBER,
    { type: 'remembered', record: { state: 'pending', ...STORED } },
    { at: 'provision', claim: NAMED },
  ],
  [
    'the intent on disk is followed by the request that it announces',
    { at: 'intend' },
    { type: 'intended', claim: OURS },
    { at: 'provision', claim: OURS },
  ],
  [
    'an intent without a token of ours is a request without one',
    { at: 'intend' },
    { type: 'intended', claim: NAMED },
    { at: 'provision', claim: NAMED },
  ],
  [
    'what the server issues is delivered with, even if we proposed another',
    { at: 'provision', claim: OURS },
    { type: 'issued', token: ISSUED },
    { at: 'deliver', claim: { deviceName: 'gw-1', token: ISSUED } },
  ],
  [
    'what the server chose is delivered with',
    { at: 'provision', claim: NAMED },
    { type: 'issued', token: ISSUED },
    { at: 'deliver', claim: { deviceName: 'gw-1', token: ISSUED } },
  ],
  [
    'a token the server knows is adopted',
    { at: 'probe', claim: OURS, declined: false },
    { type: 'probed', ours: true },
    { at: 'adopt', claim: OURS },
  ],
  [
    'a token the server knows is adopted after a declined request too: its answer was lost',
    { at: 'probe', claim: OURS, declined: true },
    { type: 'probed', ours: true },
    { at: 'adopt', claim: OURS },
  ],
  [
    'a token the server does not know is proposed',
    { at: 'probe', claim: OURS, declined: false },
    { type: 'probed', ours: false },
    { at: 'provision', claim: OURS },
  ],
  [
    'an adopted token is delivered with',
    { at: 'adopt', claim: OURS },
    { type: 'adopted' },
    { at: 'deliver', claim: OURS },
  ],
  [
    'a delivery is followed by the next',
    { at: 'deliver', claim: OURS },
    { type: 'delivered' },
    { at: 'deliver', claim: OURS },
  ],
  [
    'a step that the server accepted nothing of is followed by the next',
    { at: 'deliver', claim: OURS },
    { type: 'stepped' },
    { at: 'deliver', claim: OURS },
  ],
  [
    'a wait ends where it was to resume',
    WAIT,
    { type: 'elapsed' },
    { at: 'probe', claim: OURS, declined: true },
  ],
];

describe('session: each event leads to the state the table says', () => {
  for (const [claim, from, event, to] of TRANSITIONS) {
    it(claim, () => {
      assert.deepEqual(
        revealed(next({ ...from, troubles: 0 }, event, NOW)),
        revealed({ ...to, troubles: 0 }),
      );
    });
  }

  it('no step but a long healthy delivery forgets earlier troubles', () => {
    for (const [claim, from, event] of TRANSITIONS) {
      assert.equal(next({ ...from, troubles: 4 }, event, NOW).troubles, 4, claim);
    }
  });

  it('the machine starts by remembering, without troubles', () => {
    assert.deepEqual(START, { at: 'remember', troubles: 0 });
  });
});

/** Where a wait after a refusal leads back to; a token that cannot be stored waits for nothing (session-unsaved.test.ts). */
const RESUMPTIONS: readonly (readonly [from: Step, to: Resumable])[] = [
  [REMEMBER, { at: 'remember' }],
  [{ at: 'intend' }, { at: 'intend' }],
  [
    { at: 'provision', claim: OURS },
    { at: 'probe', claim: OURS, declined: false },
  ],
  [
    { at: 'provision', claim: NAMED },
    { at: 'provision', claim: NAMED },
  ],
  [
    { at: 'probe', claim: OURS, declined: false },
    { at: 'probe', claim: OURS, declined: false },
  ],
  [
    { at: 'probe', claim: OURS, declined: true },
    { at: 'probe', claim: OURS, declined: true },
  ],
  [
    { at: 'retry', claim: BEFORE },
    { at: 'retry', claim: BEFORE },
  ],
  [
    { at: 'deliver', claim: OURS },
    { at: 'deliver', claim: OURS },
  ],
  [WAIT, { at: 'probe', claim: OURS, declined: true }],
];

describe('session: a refusal waits by its verdict and then resumes where it is safe', () => {
  for (const reason of REASONS) {
    for (const [from, resume] of RESUMPTIONS) {
      const whose = 'claim' in from ? ` (${from.claim.token ? 'our token' : 'token of the server'})` : '';
      const mode = 'declined' in from && from.declined ? `${whose}, already declined,` : whose;
      if (from.at === 'provision' && from.claim.token && reason === 'declined') continue; // below
      it(`${reason} in ${from.at}${mode} resumes with ${resume.at}`, () => {
        const refusal = refusalOf(reason);
        const after = next({ ...from, troubles: 2 }, { type: 'refused', refusal }, NOW);
        const forMs = waitBeforeMs(VERDICTS[reason].schedule, 3, NOW.random);
        assert.deepEqual(revealed(after), revealed({ at: 'wait', forMs, refusal, resume, troubles: 3 }));
      });
    }
  }
});

describe('session: a declined proposal may be our own first request, whose answer was lost', () => {
  const declined: Event = { type: 'refused', refusal: refusalOf('declined') };

  it('so the token is asked about at once, and nothing counts as trouble yet', () => {
    const after = next({ at: 'provision', claim: OURS, troubles: 2 }, declined, NOW);
    const expected: State = { at: 'probe', claim: OURS, declined: true, troubles: 2 };
    assert.deepEqual(revealed(after), revealed(expected));
  });

  it('a server that declined and does not know the token either is waited for as declined', () => {
    const asked: State = { at: 'probe', claim: OURS, declined: true, troubles: 2 };
    const after = next(asked, { type: 'probed', ours: false }, NOW);
    assert.equal(after.at, 'wait');
    assert.equal(after.troubles, 3);
    assert.equal(after.at === 'wait' && after.refusal.reason, 'declined');
    assert.equal(after.at === 'wait' && after.forMs, waitBeforeMs(VERDICTS.declined.schedule, 3, NOW.random));
  });

  it('after that wait the question comes first again, and then the request may be repeated', () => {
    const asked: State = { at: 'probe', claim: OURS, declined: true, troubles: 0 };
    const waiting = next(asked, { type: 'probed', ours: false }, NOW);
    const again = next(waiting, { type: 'elapsed' }, NOW);
    assert.deepEqual(revealed(again), revealed({ at: 'probe', claim: OURS, declined: false, troubles: 1 }));
    assert.equal(next(again, { type: 'probed', ours: false }, NOW).at, 'provision');
  });
});

describe('session: troubles are forgotten after five healthy minutes, and not earlier', () => {
  const DELIVERED: Event = { type: 'delivered' };
  const at = (monotonicMs: number) => ({ monotonicMs, random: 0 });
  const troubled: State = { at: 'deliver', claim: OURS, troubles: 3 };

  it('the first delivery after a trouble starts the count', () => {
    const after = next(troubled, DELIVERED, at(0));
    assert.deepEqual(revealed(after), revealed({ ...troubled, healthySinceMs: 0 }));
  });

  it('one millisecond before the five minutes the troubles are still known', () => {
    const since: State = { ...troubled, healthySinceMs: 7 };
    assert.deepEqual(revealed(next(since, DELIVERED, at(6 + HEALTHY_MS))), revealed(since));
  });

  it('at five minutes they are forgotten', () => {
    const after = next({ ...troubled, healthySinceMs: 7 }, DELIVERED, at(7 + HEALTHY_MS));
    assert.deepEqual(revealed(after), revealed({ at: 'deliver', claim: OURS, troubles: 0 }));
  });

  it('a refusal in between starts the count anew', () => {
    const refused = next({ ...troubled, healthySinceMs: 0 }, { type: 'refused', refusal: SILENT }, at(1));
    const back = next(refused, { type: 'elapsed' }, at(HEALTHY_MS));
    const after = next(back, DELIVERED, at(HEALTHY_MS + 5));
    assert.deepEqual(revealed(after), revealed({ ...troubled, troubles: 4, healthySinceMs: HEALTHY_MS + 5 }));
  });
});

it('session: whoever asks to be left alone for a while is, and each gateway for a little longer of its own', () => {
  const refusal = { ...refusalOf('overloaded'), retryAfterMs: 120_000 };
  const state: State = { at: 'deliver', claim: OURS, troubles: 0 };
  const after = next(state, { type: 'refused', refusal }, NOW);
  const ours = waitBeforeMs(VERDICTS.overloaded.schedule, 1, NOW.random);
  assert.equal(after.at === 'wait' && after.forMs, 120_000 + ours);
});

describe('session: an event that does not belong to the state is a bug and throws', () => {
  const EVENTS: readonly Event[] = [
    { type: 'remembered', record: undefined },
    { type: 'intended', claim: OURS },
    { type: 'issued', token: ISSUED },
    { type: 'probed', ours: true },
    { type: 'adopted' },
    { type: 'delivered' },
    { type: 'stepped' },
    { type: 'unkept', token: ISSUED, refusal: refusalOf('store-failed') },
    { type: 'elapsed' },
  ];
  const OWN: Readonly<Record<Step['at'], readonly Event['type'][]>> = {
    remember: ['remembered'],
    intend: ['intended'],
    provision: ['issued', 'unkept'],
    probe: ['probed'],
    retry: ['probed'],
    adopt: ['adopted'],
    deliver: ['delivered', 'stepped'],
    wait: ['elapsed'],
  };
  const states: readonly Step[] = [...RESUMPTIONS.map(([from]) => from), { at: 'adopt', claim: OURS }];
  for (const from of states) {
    it(`${from.at} takes ${OWN[from.at].join(' or ')} and no other`, () => {
      for (const event of EVENTS.filter(({ type }) => !OWN[from.at].includes(type))) {
        assert.throws(
          () => next({ ...from, troubles: 0 }, event, NOW),
          new RegExp(`the event ${event.type} cannot happen in the state ${from.at}`),
        );
      }
    });
  }
});
