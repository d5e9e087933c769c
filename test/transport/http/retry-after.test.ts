/** Retry-After: both forms of the header, the maximum, and dates relative to the server's own clock. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RETRY_AFTER_MS_MAX } from '../../../src/core/failures/failure.ts';
import { parseRetryAfter } from '../../../src/transport/http/response.ts';

describe('Retry-After', () => {
  const date = 'Thu, 01 Jan 1970 00:01:00 GMT';
  const cases: readonly [value: string | undefined, ms: number | undefined][] = [
    [undefined, undefined],
    ['', undefined],
    ['0', undefined],
    ['7', 7_000],
    [' 120 ', 120_000],
    ['-7', undefined],
    ['7.5', undefined],
    ['a while', undefined],
    ['9'.repeat(400), RETRY_AFTER_MS_MAX],
    ['Thu, 01 Jan 1970 00:01:30 GMT', 30_000],
    ['Thu, 01 Jan 1970 00:00:30 GMT', undefined],
    ['Thu, 01 Jan 2099 00:00:00 GMT', RETRY_AFTER_MS_MAX],
  ];
  for (const [value, ms] of cases) {
    it(`Retry-After ${value?.slice(0, 40)} is ${ms} ms`, () => {
      assert.equal(parseRetryAfter({ 'retry-after': value, date }), ms);
    });
  }

  it('a Retry-After date without a Date header is ignored', () => {
    assert.equal(parseRetryAfter({ 'retry-after': date }), undefined);
  });
});
