/**
 * The verdicts: one row for each reason, a remedy in each sentence, and a schedule that fits how the trouble
 * ends.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WAIT_MIN_MS } from '../../../src/core/failures/backoff.ts';
import type { RefusalReason } from '../../../src/core/failures/failure.ts';
import { VERDICTS, type Verdict } from '../../../src/core/failures/policies.ts';

/** Every reason of refusal.ts; the compiler refuses this table when one is missing or unknown. */
const LEVELS = {
  unauthorized: 'error',
  'not-found': 'error',
  declined: 'error',
  malformed: 'error',
  overloaded: 'warn',
  silent: 'warn',
  'acknowledged-only': 'warn',
  'port-closed': 'warn',
  'no-route': 'warn',
  'name-not-found': 'warn',
  reset: 'warn',
  unintelligible: 'error',
  'upstream-away': 'warn',
  'certificate-dates': 'error',
  'clock-wrong': 'warn',
  'certificate-name': 'error',
  'certificate-untrusted': 'error',
  'certificate-pin': 'error',
  'client-certificate': 'error',
  'tls-version': 'error',
  'tls-failed': 'warn',
  'proxy-away': 'warn',
  'proxy-refused': 'error',
  'captive-portal': 'error',
  redirected: 'error',
  'roads-disagree': 'error',
  unsendable: 'error',
  'no-pair': 'error',
  'wrong-credentials-type': 'error',
  'store-failed': 'error',
  'credentials-unreadable': 'error',
  'credentials-newer': 'error',
  aborted: 'warn',
} as const satisfies Record<RefusalReason, Verdict['level']>;

const ROWS = Object.entries(VERDICTS) as [RefusalReason, Verdict][];

/** What a person can do. */
const REMEDY = /\b(check|compare|delete|raise|renew|set|report)\b/;
const HOUR_MS = 3_600_000;

it('there is one row for each reason, as loud as the trouble needs a person', () => {
  assert.deepEqual(Object.fromEntries(ROWS.map(([reason, { level }]) => [reason, level])), LEVELS);
});

it('no two reasons share a sentence: one can be searched for', () => {
  assert.equal(new Set(ROWS.map(([, { sentence }]) => sentence)).size, ROWS.length);
});

describe('verdicts: the sentence says the cause, then what to do', () => {
  for (const [reason, { sentence }] of ROWS) {
    it(reason, () => {
      const [cause, remedy] = sentence.split(/: (?!.*: )/);
      assert.match(cause ?? '', /^[a-z ,']{10,}/);
      assert.match(remedy ?? '', reason === 'aborted' ? /nothing to do/ : REMEDY);
    });
  }
});

it('a sentence is constant: no placeholder, no number, no quotation, no secret', () => {
  for (const [, { sentence }] of ROWS) {
    assert.doesNotMatch(sentence, /[{}$%"`\\]|\*\*\*|undefined|\[object/);
    assert.doesNotMatch(sentence, /\d/);
    assert.ok(sentence.length <= 240 && !sentence.endsWith('.'), sentence);
  }
});

it('a trouble that needs a person is asked about more seldom than one that heals', () => {
  const baseMs = (level: Verdict['level']) =>
    ROWS.filter(([, row]) => row.level === level).map(([, row]) => row.schedule.baseMs);
  assert.ok(Math.min(...baseMs('error')) > Math.max(...baseMs('warn')));
});

it('every schedule begins above the floor, grows, and tries at least once an hour', () => {
  for (const [reason, { schedule }] of ROWS) {
    assert.ok(schedule.baseMs > WAIT_MIN_MS, reason);
    assert.ok(schedule.capMs > schedule.baseMs, reason);
    assert.ok(schedule.capMs <= HOUR_MS, reason);
  }
});

it('an outage that is over is noticed within two minutes', () => {
  const outages = [
    'silent',
    'acknowledged-only',
    'port-closed',
    'no-route',
    'name-not-found',
    'reset',
  ] as const;
  for (const reason of outages) assert.ok(VERDICTS[reason].schedule.capMs <= 120_000, reason);
});

it('what needs a change on the server is asked no more than once a minute from the start', () => {
  for (const reason of ['not-found', 'declined', 'malformed', 'unintelligible'] as const) {
    assert.ok(VERDICTS[reason].schedule.baseMs >= 60_000, reason);
  }
});
