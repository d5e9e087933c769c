/** Which access tokens each transport can carry, and how the reason names the character. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  coapObstacle,
  configuredObstacle,
  httpObstacle,
  isAccessToken,
} from '../../../src/core/model/access-token.ts';
import { Secret } from '../../../src/core/model/secret.ts';

const allPrintable = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join('');

/** Undefined: no obstacle. */
const CASES: readonly [token: string, coap: string | undefined, http: string | undefined][] = [
  ['sLzc0gDAZPkGMzFVTyUY', undefined, undefined],
  [allPrintable.replace(/[;%\\/]/g, ''), undefined, undefined],
  ['a b', undefined, undefined],
  ['gerät', undefined, undefined],
  ['a?b', undefined, undefined],
  ['...', undefined, undefined],
  ['a;b', undefined, 'contains ;'],
  ['100%', undefined, 'contains %'],
  ['a\\b', undefined, 'contains \\'],
  ['plant/7', undefined, 'contains /'],
  ['plant//7', undefined, 'contains /'],
  ['a\nb', undefined, 'contains a control character'],
  ['a\u2028b', undefined, 'contains the non-ASCII character U+2028'],
  ['t'.repeat(255), undefined, undefined],
  ['t'.repeat(256), 'is longer than 255 bytes', undefined],
  ['ä'.repeat(128), 'is longer than 255 bytes', undefined],
  ['.', 'is no path segment', 'is no path segment'],
  ['..', 'is no path segment', 'is no path segment'],
];

test('each transport has its own limits for a token', () => {
  for (const [text, coap, http] of CASES) {
    const token = new Secret(text);
    assert.deepEqual([coapObstacle(token), httpObstacle(token)], [coap, http], JSON.stringify(text));
    assert.equal(isAccessToken(text), coap === undefined || http === undefined, JSON.stringify(text));
  }
});

test('a text that no transport can carry is no access token', () => {
  for (const text of ['', '.', '..', 't'.repeat(1025), 'a\ud800b']) assert.equal(isAccessToken(text), false);
});

test('the reason against a configured token names the character', () => {
  for (const [text, reason] of [
    [allPrintable.replace(/[/?]/g, ''), undefined],
    ['', 'is empty'],
    ['t'.repeat(256), 'is longer than 255 characters'],
    ['a b', 'contains a space'],
    ['a/b', 'contains /'],
    ['a?b', 'contains ?'],
    ['aü', 'contains the non-ASCII character U+00FC'],
    ['a😀', 'contains the non-ASCII character U+1F600'],
    ['a\u007f', 'contains a control character'],
    ['..', 'is . or .., which a path cannot contain'],
  ] as const)
    assert.equal(configuredObstacle(text), reason, JSON.stringify(text));
});
