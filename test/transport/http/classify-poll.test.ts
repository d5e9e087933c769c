/** What a response to a long poll or to a read of attributes means. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classifyAttributes, classifyPoll } from '../../../src/transport/http/classify-poll.ts';
import type { HttpResponse } from '../../../src/transport/http/response.ts';

function response(status: number, body = '', more: Partial<HttpResponse> = {}): HttpResponse {
  return {
    status,
    body,
    bytes: Buffer.from(body),
    contentType: body.startsWith('{') ? 'application/json' : '',
    location: undefined,
    requiresLogin: false,
    retryAfterMs: undefined,
    proxy: undefined,
    serverName: undefined,
    ...more,
  };
}

const HTML = '<html>Log in</html>';
const ERROR = '{"status":503,"message":"Asynchronous request timed out","errorCode":2,"timestamp":1}';

describe('a response to a poll', () => {
  for (const [what, answer, isEarly, expected] of [
    ['200 with an object', response(200, '{"a":1}'), true, 'message'],
    ['408 without a body', response(408), false, 'empty'],
    ['403 of a deleted device', response(403, 'Device was deleted!'), true, 'ended'],
    ['408 without a body, early', response(408), true, 'upstream-unavailable'],
    ['408 with a page', response(408, HTML), false, 'upstream-unavailable'],
    ['200 without a body', response(200), false, 'unexpected-response'],
    ['200 with a list', response(200, '[1]'), false, 'unexpected-response'],
    ['200 with a page', response(200, HTML), false, 'captive-portal'],
    ['401', response(401), true, 'unauthorized'],
    ['401 of a log-in', response(401, '', { requiresLogin: true }), true, 'request-blocked'],
    ['403 of another program', response(403, 'no'), true, 'request-blocked'],
    ['404', response(404), true, 'unexpected-response'],
    ['500', response(500), true, 'server-overloaded'],
    ['503 of the server', response(503, ERROR), false, 'server-overloaded'],
    ['503 of a proxy', response(503, HTML), true, 'upstream-unavailable'],
    ['502', response(502), true, 'upstream-unavailable'],
    ['429', response(429), true, 'server-overloaded'],
  ] as const) {
    it(`${what} is ${expected}`, () => {
      const result = classifyPoll(answer, isEarly);
      assert.equal(result.ok ? result.value.type : result.failure.reason, expected);
    });
  }
});

describe('a response to a read of attributes', () => {
  for (const [what, answer, expected] of [
    ['{}', response(200, '{}'), {}],
    ['only client attributes', response(200, '{"client":{"a":1}}'), {}],
    ['both scopes', response(200, '{"client":{"a":1},"shared":{"b":2}}'), { b: 2 }],
    ['another scope', response(200, '{"server":{}}'), 'unexpected-response'],
    ['a list of shared attributes', response(200, '{"shared":[]}'), 'unexpected-response'],
    ['a page', response(200, HTML), 'captive-portal'],
    ['401', response(401), 'unauthorized'],
    ['503', response(503, ERROR), 'server-overloaded'],
  ] as const) {
    it(`with ${what} is ${JSON.stringify(expected)}`, () => {
      const result = classifyAttributes(answer);
      assert.deepEqual(result.ok ? result.value : result.failure.reason, expected);
    });
  }

  it('longer than allowed says so', () => {
    const result = classifyAttributes(response(200, '{"shared":{"a', { isTruncated: true }));
    assert.deepEqual(result, {
      ok: false,
      failure: { reason: 'unexpected-response', detail: 'response 200, longer than allowed' },
    });
  });
});
