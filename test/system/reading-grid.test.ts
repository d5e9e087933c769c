/** Which seconds count as missing: the measure of the system tests must neither invent a loss nor hide one. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoredPoint } from '../../src/sandbox/core/model/types.ts';
import { readingGridOf } from './reading-grid.ts';

type Values = Readonly<Record<string, number>>;

/** A server that has these values at these times, ms. */
function serverWith(readings: readonly (readonly [ts: number, values: Values])[]) {
  const points = readings.flatMap(([ts, values]) =>
    Object.entries(values).map(
      ([key, value]): StoredPoint => ({
        ...{ device: 'gw', key, ts, value, type: 'double', via: 'coap', tsGiven: true, storedAt: ts },
      }),
    ),
  );
  return { points: () => points };
}

describe('the grid of readings', () => {
  it('counts a reading whose uptime has not changed, because the one before it was late', () => {
    const { gaps, readings } = readingGridOf(
      serverWith([
        [1_499, { uptimeS: 1, load1: 0.2 }],
        [2_501, { uptimeS: 3, load1: 0.3 }],
        [3_499, { load1: 0.4 }],
        [4_499, { uptimeS: 4, load1: 0.5 }],
      ]),
    );
    assert.deepEqual({ gaps, readings }, { gaps: [], readings: 4 });
  });

  it('shows a second without a reading', () => {
    const { gaps, missing } = readingGridOf(serverWith([0, 1_000, 3_000].map((ts) => [ts, { uptimeS: ts }])));
    assert.deepEqual({ gaps, missing }, { gaps: [{ fromMs: 1_000, toMs: 3_000 }], missing: 1 });
  });

  it('excuses a second in which a timer was late, at most four', () => {
    const late = Array.from({ length: 6 }, (_, index): readonly [number, Values] => [
      2_000 * index,
      { agentLoopDelayMs: 1_000 },
    ]);
    assert.deepEqual(readingGridOf(serverWith(late)).gaps, [{ fromMs: 8_000, toMs: 10_000 }]);
  });

  it('does not take a gap record for a reading', () => {
    const { gaps, reported } = readingGridOf(
      serverWith([
        [0, { uptimeS: 0 }],
        [1_000, { lostReadings: 1, lostFromMs: 900 }],
        [2_000, { uptimeS: 2 }],
      ]),
    );
    assert.deepEqual({ gaps, reported }, { gaps: [{ fromMs: 0, toMs: 2_000 }], reported: 1 });
  });

  for (const [whose, change] of [
    ['the agent, which has no date,', { tsGiven: false }],
    ['the server', { via: 'server' }],
  ] as const) {
    it(`does not take a report of an update by ${whose} for a reading`, () => {
      const points = serverWith([
        [0, { uptimeS: 0 }],
        [1_000, { sw_progress: 50 }],
        [2_000, { uptimeS: 2 }],
      ]).points();
      const reported = points.map((point) => (point.key === 'sw_progress' ? { ...point, ...change } : point));
      assert.equal(readingGridOf({ points: () => reported }).missing, 1);
    });
  }
});
