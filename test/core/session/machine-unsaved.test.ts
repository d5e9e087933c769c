/**
 * A token the disk would not take: delivered with at once, written again a minute later between two
 * deliveries, and never asked of the server a second time. And what a step is that the server accepted
 * nothing of: no sign of health.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { HEALTHY_MS, next, SAVE_AGAIN_MS } from '../../../src/core/session/machine.ts';
import type { Event, State } from '../../../src/core/session/state.ts';
import { REASONS, refusalOf } from '../../doubles/failures.ts';
import { revealed } from '../../doubles/reveal-secrets.ts';

const NOW_MS = 1_000_000;
const at = (monotonicMs: number) => ({ monotonicMs, random: 0.25 });
const OURS = { deviceName: 'gw-1', token: new Secret('proposed-by-us') };
const FULL: Event = { type: 'refused', refusal: refusalOf('store-failed') };
const DELIVERED: Event = { type: 'delivered' };
const UNSAVED: State = { at: 'deliver', claim: OURS, troubles: 2, saveAgainMs: NOW_MS + SAVE_AGAIN_MS };

function assertState(actual: State, expected: State): void {
  assert.deepEqual(revealed(actual), revealed(expected));
}

describe('session: a token that cannot be stored', () => {
  it('after it was adopted is delivered with at once, and no trouble is counted', () => {
    assertState(next({ at: 'adopt', claim: OURS, troubles: 2 }, FULL, at(NOW_MS)), UNSAVED);
  });

  it('whatever the store gives as its reason', () => {
    for (const reason of REASONS) {
      const refused: Event = { type: 'refused', refusal: refusalOf(reason) };
      assertState(next({ at: 'adopt', claim: OURS, troubles: 2 }, refused, at(NOW_MS)), UNSAVED);
    }
  });

  it('after it was issued is delivered with at once: the issued one, under the name of the claim', () => {
    const unkept: Event = { type: 'unkept', token: OURS.token, refusal: refusalOf('store-failed') };
    const proposed = { deviceName: 'gw-1', token: new Secret('another'), previousToken: new Secret('old') };
    for (const claim of [{ deviceName: 'gw-1' }, proposed]) {
      assertState(next({ at: 'provision', claim, troubles: 2 }, unkept, at(NOW_MS)), UNSAVED);
    }
  });

  it('is not written again a millisecond before its time', () => {
    assertState(next(UNSAVED, DELIVERED, at(NOW_MS + SAVE_AGAIN_MS - 1)), UNSAVED);
  });

  it('is written again by the first delivery after its time', () => {
    for (const lateMs of [0, 1, 86_400_000]) {
      const after = next(UNSAVED, DELIVERED, at(NOW_MS + SAVE_AGAIN_MS + lateMs));
      assertState(after, { at: 'adopt', claim: OURS, troubles: 2 });
    }
  });

  it('that is refused by the disk again waits another minute, while it goes on delivering', () => {
    const laterMs = NOW_MS + SAVE_AGAIN_MS;
    const again = next(next(UNSAVED, DELIVERED, at(laterMs)), FULL, at(laterMs));
    assertState(again, { ...UNSAVED, saveAgainMs: laterMs + SAVE_AGAIN_MS });
  });

  it('is forgotten as unsaved once the disk took it', () => {
    const saved = next({ at: 'adopt', claim: OURS, troubles: 2 }, { type: 'adopted' }, at(NOW_MS));
    assertState(saved, { at: 'deliver', claim: OURS, troubles: 2 });
  });

  it('is still unsaved after a wait for the server, and written after that', () => {
    const waiting = next(UNSAVED, { type: 'refused', refusal: refusalOf('silent') }, at(NOW_MS + 1));
    assert.equal(waiting.at, 'wait');
    const back = next(waiting, { type: 'elapsed' }, at(NOW_MS + 2));
    assertState(back, { ...UNSAVED, troubles: 3 });
    assert.equal(next(back, DELIVERED, at(NOW_MS + SAVE_AGAIN_MS)).at, 'adopt');
  });

  it('is not written while the server takes nothing: the time is asked between two deliveries', () => {
    assertState(next(UNSAVED, { type: 'stepped' }, at(NOW_MS + 10 * SAVE_AGAIN_MS)), UNSAVED);
  });

  it('keeps earlier troubles: health counts from the time when it is on disk', () => {
    const shortly: State = { ...UNSAVED, saveAgainMs: NOW_MS + 2 * HEALTHY_MS };
    assertState(next(shortly, DELIVERED, at(NOW_MS + HEALTHY_MS + 1)), shortly);
  });
});

describe('session: a step that the server accepted nothing of', () => {
  const memories: readonly Omit<State & { at: 'deliver' }, 'at' | 'claim'>[] = [
    { troubles: 0 },
    { troubles: 3 },
    { troubles: 3, healthySinceMs: 5 },
    { troubles: 3, doubts: { count: 4, sinceMs: 5 } },
    { troubles: 3, saveAgainMs: 5 },
  ];
  for (const memory of memories) {
    it(`leaves ${Object.keys(memory).join(' and ')} (${memory.troubles}) exactly as they are`, () => {
      const state: State = { at: 'deliver', claim: OURS, ...memory };
      for (const mayProvision of [true, false]) {
        const context = { ...at(NOW_MS + 10 * HEALTHY_MS), mayProvision };
        assertState(next(state, { type: 'stepped' }, context), state);
      }
    });
  }

  it('begins no healthy stretch', () => {
    const stepped = next({ at: 'deliver', claim: OURS, troubles: 3 }, { type: 'stepped' }, at(0));
    const later = next(stepped, DELIVERED, at(HEALTHY_MS));
    assertState(later, { at: 'deliver', claim: OURS, troubles: 3, healthySinceMs: HEALTHY_MS });
  });
});
