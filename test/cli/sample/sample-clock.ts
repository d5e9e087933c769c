/** A clock for `firstlight sample`: its pause ends at once; the deadline of a sensor never does, even on a slow host. */

import type { Clock } from '../../../src/core/ports/clock.ts';

/** `onPause` is called in each pause between two samples. */
export function createSampleClock(pauseMs = 500, onPause: () => void = () => {}): Clock {
  let nowMs = 0;
  return {
    wallMs: () => Date.UTC(2026, 0, 1) + nowMs,
    monotonicMs: () => nowMs,
    bootId: 'this boot',
    bootMs: () => nowMs,
    sleep(ms, signal) {
      if (ms !== pauseMs) return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
      nowMs += ms;
      onPause();
      return Promise.resolve();
    },
  };
}
