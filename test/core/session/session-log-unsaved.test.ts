/** What an operator reads of a token that cannot be stored: that a power cut would lose it, once, and its end. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { next, SAVE_AGAIN_MS } from '../../../src/core/session/machine.ts';
import { Narrator } from '../../../src/core/session/session-log.ts';
import type { Event, State } from '../../../src/core/session/state.ts';
import { refusalOf } from '../../doubles/failures.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';

const TOKEN = new Secret('QZ7QZ7QZ7');
const CLAIM = { deviceName: 'gw-1', token: TOKEN };
const PROVISIONING: State = { at: 'provision', claim: { deviceName: 'gw-1' }, troubles: 0 };
const ADOPTING: State = { at: 'adopt', claim: CLAIM, troubles: 0 };
const UNKEPT: Event = { type: 'unkept', token: TOKEN, refusal: refusalOf('store-failed') };
const FULL: Event = { type: 'refused', refusal: refusalOf('store-failed') };
const DELIVERED: Event = { type: 'delivered' };
const LOST = /^the token cannot be stored, and a power cut now would lose it: check /;
const STILL = 'the token still cannot be stored';
const STORED = 'provisioned: token stored';

/** The session from `start` through `events`, as far apart as two tries of the disk. */
function narrated(start: State, events: readonly Event[]): RecordingLogger {
  const log = new RecordingLogger();
  const narrator = new Narrator(log, () => 'coap://tb');
  let state = start;
  for (const [index, event] of events.entries()) {
    const monotonicMs = index * SAVE_AGAIN_MS;
    const after = next(state, event, { monotonicMs, random: 0 });
    narrator.tell(state, event, after, monotonicMs);
    state = after;
  }
  return log;
}

describe('the narrator tells a token that cannot be stored', () => {
  for (const [when, start, first] of [
    ['issued', PROVISIONING, UNKEPT],
    ['adopted', ADOPTING, FULL],
  ] as const) {
    it(`when it was ${when}: once as an error, with what was seen and whose it is`, () => {
      const { told } = narrated(start, [first]);
      assert.equal(told.length, 1);
      assert.equal(told[0]?.level, 'error');
      assert.match(told[0]?.message ?? '', LOST);
      assert.deepEqual(told[0]?.fields, { seen: 'seen: store-failed', device: 'gw-1' });
    });

    it(`when it was ${when}: each further try of the disk is no news`, () => {
      const log = narrated(start, [first, DELIVERED, FULL, DELIVERED, FULL, DELIVERED, FULL]);
      assert.equal(log.told.length, 1);
      assert.deepEqual(
        log.saying(STILL).map(({ level }) => level),
        ['debug', 'debug', 'debug'],
      );
    });

    it(`when it was ${when}: its end is told`, () => {
      const log = narrated(start, [first, DELIVERED, FULL, DELIVERED, { type: 'adopted' }]);
      assert.deepEqual(log.told.at(-1), { level: 'info', message: STORED, fields: { device: 'gw-1' } });
      assert.equal(log.told.length, 2);
    });
  }

  it('again when it happens again after the disk took one', () => {
    const log = new RecordingLogger();
    const narrator = new Narrator(log, () => 'coap://tb');
    const delivering: State = { at: 'deliver', claim: CLAIM, troubles: 0 };
    for (let time = 0; time < 2; time += 1) {
      narrator.tell(ADOPTING, FULL, delivering, 0);
      narrator.tell(ADOPTING, { type: 'adopted' }, delivering, 0);
    }
    assert.equal(log.saying(LOST).length, 2);
  });

  it('without the token itself', () => {
    assert.doesNotMatch(JSON.stringify(narrated(PROVISIONING, [UNKEPT, DELIVERED, FULL]).lines), /QZ7/);
  });
});

it('the narrator tells no recovery for a step that the server accepted nothing of', () => {
  const silent: Event = { type: 'refused', refusal: refusalOf('silent') };
  const log = narrated({ at: 'deliver', claim: CLAIM, troubles: 0 }, [
    silent,
    { type: 'elapsed' },
    { type: 'stepped' },
  ]);
  assert.deepEqual(log.saying('the server answers again'), []);
  assert.equal(log.told.length, 1);
});
