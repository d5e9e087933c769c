/** Dates as ISO 8601. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { utcText } from '../../../src/host/log/log-line.ts';

test('utcText formats dates of every year like toISOString', () => {
  const dates = fc.oneof(
    fc.date({ noInvalidDate: true }),
    fc.integer({ min: 0 }).map((ms) => new Date(ms)),
  );
  fc.assert(fc.property(dates, (date) => assert.equal(utcText(date), date.toISOString())));
});
