/** When a server wants to be asked again: both forms of the header, bounded, and by the server's own clock. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRetryAfter, RETRY_AFTER_MS_MAX } from '../../../src/transport/http/response.ts';

describe('Retry-After', () => {
  const date = 'Thu, 01 Jan 1970 00:01:00 GMT';
  const cases: readonly [said: string | undefined, ms: number | undefined][] = [
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
  for (const [said, ms] of cases) {
    it(`${said?.slice(0, 40)} is ${ms} ms`, () => {
      assert.equal(parseRetryAfter({ 'retry-after': said, date }), ms);
    });
  }

  it('as a date counts from the Date beside it, whatever our clock says, and says nothing alone', () => {
    assert.equal(parseRetryAfter({ 'retry-after': date }), undefined);
  });
});
