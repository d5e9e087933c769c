/** Each loss is reported once in a gap record, and a lost gap record is added to the next one. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { GAP_KEYS, LossReport } from '../../../src/core/model/loss-report.ts';
import type { Reading } from '../../../src/core/model/reading.ts';

const INSTANT = { bootId: 'boot-1', bootMs: 5, tsMs: 9_000 };
const reading = (tsMs?: number): Reading => ({
  bootId: 'boot-1',
  bootMs: 1,
  ...(tsMs !== undefined && { tsMs }),
  values: { a: 1 },
  isSnapshot: true,
});

it('without losses there is no gap record', () => {
  assert.equal(
    new LossReport().takeGapRecord(() => INSTANT),
    undefined,
  );
});

it('a gap record has number, period and causes, and the time of the report', () => {
  const losses = new LossReport();
  losses.addReading(reading(3_000), 'memory full');
  losses.add({ readings: 10, reason: 'spool full', fromMs: 1_000, toMs: 2_000 });
  assert.deepEqual(
    losses.takeGapRecord(() => INSTANT),
    {
      ...INSTANT,
      values: { lostReadings: 11, lostFromMs: 1_000, lostToMs: 3_000, lostWhy: 'memory full, spool full' },
      isSnapshot: false,
      gap: true,
    },
  );
});

it('reported losses are not reported again but stay in the total', () => {
  const losses = new LossReport();
  losses.addReading(reading(), 'undatable');
  const gap = losses.takeGapRecord(() => INSTANT);
  assert.deepEqual(gap?.values, { lostReadings: 1, lostWhy: 'undatable' });
  assert.equal(
    losses.takeGapRecord(() => INSTANT),
    undefined,
  );
  assert.deepEqual([losses.unreported, losses.total], [0, 1]);
});

it('a lost gap record is added to the next one without double counting', () => {
  const losses = new LossReport();
  losses.addReading(reading(1_000), 'malformed');
  const gap = losses.takeGapRecord(() => INSTANT);
  assert.ok(gap);
  losses.addReading(gap, 'spool full');
  losses.addReading(reading(4_000), 'spool full');
  assert.deepEqual(losses.takeGapRecord(() => INSTANT)?.values, {
    lostReadings: 2,
    lostFromMs: 1_000,
    lostToMs: 4_000,
    lostWhy: 'malformed, spool full',
  });
  assert.equal(losses.total, 2);
});

it('the reported sum equals the lost sum, even if gap records are lost', () => {
  const operation = fc.oneof(fc.constant('lose'), fc.constant('report and lose'), fc.constant('report'));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 50 }), (operations) => {
      const losses = new LossReport();
      let lost = 0;
      let arrived = 0;
      const takeGapRecord = () => losses.takeGapRecord(() => INSTANT);
      const count = (gap: Reading | undefined) => Number(gap?.values[GAP_KEYS.readings] ?? 0);
      for (const operation of operations) {
        if (operation === 'lose') {
          losses.addReading(reading(lost), 'memory full');
          lost += 1;
        } else if (operation === 'report') arrived += count(takeGapRecord());
        else {
          const gap = takeGapRecord();
          if (gap) losses.addReading(gap, 'spool full');
        }
      }
      arrived += count(takeGapRecord());
      assert.equal(arrived, lost);
      assert.equal(losses.total, lost);
    }),
    { seed: 20_261_122, numRuns: 300 },
  );
});
