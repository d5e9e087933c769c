/**
 * What an operator reads: each change once, with its remedy, and the end of a trouble with its length.
 *
 * The steps told are those of the real session, so that a change of the machine cannot leave the narrator
 * behind.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RefusalReason } from '../../../src/core/failures/failure.ts';
import { VERDICTS } from '../../../src/core/failures/policies.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { next, START } from '../../../src/core/session/machine.ts';
import { Narrator } from '../../../src/core/session/session-log.ts';
import type { Event, State } from '../../../src/core/session/state.ts';
import { REASONS, refusalOf } from '../../doubles/failures.ts';
import { type Line, RecordingLogger } from '../../doubles/recording-logger.ts';

const SERVER = 'coap://tb.example.com';
const CLAIM = { deviceName: 'gw-1', token: new Secret('QZ7QZ7QZ7') };
const STORED = { server: SERVER, ...CLAIM, sinceMs: 1 };
const DELIVERING: State = { at: 'deliver', claim: CLAIM, troubles: 0 };

const REFUSED = (reason: RefusalReason): Event => ({ type: 'refused', refusal: refusalOf(reason) });
const ELAPSED: Event = { type: 'elapsed' };
const DELIVERED: Event = { type: 'delivered' };
const PROPOSED: readonly Event[] = [
  { type: 'remembered', record: undefined },
  { type: 'intended', claim: CLAIM },
];
const NOT_OURS: Event = { type: 'probed', ours: false };

/** The session from `start` through `events`, ten seconds each, and what was told. */
function narrated(start: State, events: readonly Event[]): RecordingLogger {
  const log = new RecordingLogger();
  const narrator = new Narrator(log, () => SERVER);
  let state = start;
  for (const [index, event] of events.entries()) {
    const monotonicMs = index * 10_000;
    const after = next(state, event, { monotonicMs, random: 0 });
    narrator.tell(state, event, after, monotonicMs);
    state = after;
  }
  return log;
}

const messages = (lines: readonly Line[]) => lines.map(({ message }) => message);

describe('the narrator tells a first boot', () => {
  it('from no credentials to a stored token in three lines', () => {
    const log = narrated(START, [...PROPOSED, { type: 'issued', token: CLAIM.token }, DELIVERED]);
    assert.deepEqual(log.told, [
      { level: 'info', message: 'no credentials found', fields: {} },
      { level: 'info', message: 'provisioning', fields: { device: 'gw-1', server: SERVER } },
      { level: 'info', message: 'provisioned: token stored', fields: { device: 'gw-1' } },
    ]);
  });

  it('that finds credentials in one line, with the server they are of', () => {
    const log = narrated(START, [
      { type: 'remembered', record: { state: 'provisioned', ...STORED } },
      DELIVERED,
    ]);
    assert.deepEqual(log.told, [
      { level: 'info', message: 'credentials found', fields: { device: 'gw-1', server: SERVER } },
    ]);
  });

  it('that was interrupted, up to the token it had already', () => {
    const events: Event[] = [
      { type: 'remembered', record: { state: 'pending', ...STORED } },
      { type: 'probed', ours: true },
      { type: 'adopted' },
    ];
    assert.deepEqual(messages(narrated(START, events).told), [
      'an earlier provisioning was interrupted: picking it up',
      'the server already knows our token: an earlier answer was lost, nothing else',
      'provisioned: token stored',
    ]);
  });

  it('that was interrupted before the server heard of it', () => {
    const log = narrated(START, [{ type: 'remembered', record: { state: 'pending', ...STORED } }, NOT_OURS]);
    assert.equal(log.told.at(-1)?.message, 'the server does not know our token yet');
  });
});

describe('the narrator tells a refusal', () => {
  for (const reason of REASONS) {
    it(`${reason}: once, as loud as its verdict, with what was seen and when the next try is`, () => {
      const again = [REFUSED(reason), ELAPSED];
      const log = narrated(DELIVERING, [...again, ...again, ...again, ...again]);
      const { level, sentence } = VERDICTS[reason];
      const fields = { reason, seen: `seen: ${reason}`, while: 'deliver', device: 'gw-1', retryInS: 1 };
      assert.deepEqual(log.told, [{ level, message: sentence, fields }]);
      assert.equal(log.saying('still refused').length, 3);
    });
  }

  it('again when its reason changes, for that is news', () => {
    const events = ['silent', 'no-route', 'no-route', 'silent'] as const;
    const log = narrated(
      DELIVERING,
      events.flatMap((reason) => [REFUSED(reason), ELAPSED]),
    );
    assert.deepEqual(
      log.told.map(({ fields }) => fields['reason']),
      ['silent', 'no-route', 'silent'],
    );
  });

  it('again once an hour while it lasts, with how long it has lasted', () => {
    const day = Array.from({ length: 4320 }, () => [REFUSED('silent'), ELAPSED]).flat();
    const lines = narrated(DELIVERING, day).saying(VERDICTS.silent.sentence);
    assert.equal(lines.length, 24);
    assert.deepEqual(
      lines.slice(0, 3).map(({ fields }) => fields['lasts']),
      [undefined, '60 min', '2 h'],
    );
  });

  it('again when it comes back after the server had answered', () => {
    const once = [REFUSED('silent'), ELAPSED, DELIVERED];
    assert.equal(narrated(DELIVERING, [...once, ...once]).saying(VERDICTS.silent.sentence).length, 2);
  });
});

describe('the narrator tells a declined name', () => {
  const declined = [REFUSED('declined'), NOT_OURS, ELAPSED, NOT_OURS];

  it('with its remedy, once the server does not know our token either', () => {
    const [line, ...others] = narrated(START, [...PROPOSED, ...declined]).saying(VERDICTS.declined.sentence);
    assert.equal(line?.level, 'error');
    assert.equal(line?.fields['reason'], 'declined');
    assert.equal(line?.fields['retryInS'], 1);
    assert.deepEqual(others, []);
  });

  it('once in an hour, though each try goes the same way', () => {
    const weeks = Array.from({ length: 80 }, () => declined).flat();
    assert.deepEqual(messages(narrated(START, [...PROPOSED, ...weeks]).told), [
      'no credentials found',
      'provisioning',
      'the server declined the name: asking whether our token is already known',
      VERDICTS.declined.sentence,
    ]);
  });

  it('as no refusal when the server does know our token', () => {
    const events: Event[] = [
      ...PROPOSED,
      REFUSED('declined'),
      { type: 'probed', ours: true },
      { type: 'adopted' },
    ];
    assert.ok(narrated(START, events).told.every(({ level }) => level === 'info'));
  });
});

describe('the narrator tells a recovery', () => {
  const recovered = 'the server answers again';

  it('once, with the length of the whole trouble whatever its reasons were', () => {
    const events = [REFUSED('silent'), ELAPSED, REFUSED('reset'), ELAPSED, DELIVERED, DELIVERED];
    assert.deepEqual(narrated(DELIVERING, events).saying(recovered), [
      { level: 'info', message: recovered, fields: { after: '40 s', afterS: 40, waiting: undefined } },
    ]);
  });

  it('by a token that was issued or adopted, too', () => {
    const issued: Event[] = [
      ...PROPOSED,
      REFUSED('silent'),
      ELAPSED,
      NOT_OURS,
      { type: 'issued', token: CLAIM.token },
    ];
    const adopted: Event[] = [
      ...PROPOSED,
      REFUSED('silent'),
      ELAPSED,
      { type: 'probed', ours: true },
      { type: 'adopted' },
    ];
    for (const events of [issued, adopted]) {
      assert.equal(narrated(START, events).saying(recovered).length, 1);
      assert.equal(narrated(START, [...events, DELIVERED]).saying(recovered).length, 1);
    }
  });

  it('not where there was no trouble', () => {
    assert.deepEqual(narrated(DELIVERING, [DELIVERED, DELIVERED]).lines, []);
  });
});

it('the narrator never tells a token', () => {
  const events: Event[] = [
    ...PROPOSED,
    REFUSED('declined'),
    { type: 'probed', ours: true },
    { type: 'adopted' },
    DELIVERED,
  ];
  assert.doesNotMatch(JSON.stringify(narrated(START, events).lines), /QZ7/);
});
